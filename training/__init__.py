"""From data to the models that ship: nothing else in Quoth imports this package.

Read in this order: `sources` and `mix` (data sets -> question groups), `negatives` (near misses made by search and by rule),
`batches` (groups -> tensors), `reader`, `support` and `calibrate` (one command per model), `metrics`, `card`.
Every command takes `--data PATH` (or the environment variable QUOTH_DATA): the folder that holds the data sets.
"""
