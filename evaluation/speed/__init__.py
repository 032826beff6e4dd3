"""Speed and memory, side by side with other systems in one run: same weights, same documents, same threads.

`workload` makes the documents, `environments` one virtual environment a peer, `peers/` holds one short program a
system (each what its documentation shows), `measuring` runs them in turn. `growth` measures Quoth alone at larger and
larger sizes, around vectors of a `cloud`, and `load` a server that many ask at once, over what `drawn` fills.
"""
