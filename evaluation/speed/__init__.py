"""Speed and memory, side by side with other systems in one run: same weights, same documents, same threads.

`workload` makes the documents, `environments` one virtual environment per peer, `peers/` holds one short program per
system (each as its documentation shows), `measuring` runs them in turn. `growth` measures Quoth alone at larger and
larger sizes, and `load` a server that many clients ask at once; both use the collections that `drawn` fills.
"""
