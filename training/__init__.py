"""How the models that ship are made, from data sets to weights and cards. No other package imports this one.

Read in this order: `sources` and `mix` (data sets -> groups of question and passage), `search` and `negatives` (near misses by
search and by rule), `augmentation` (titles, inserted lines, noise), `batches` (groups -> labelled windows -> tensors), `losses`
and `loop`, then the commands: `reader` (measured by `development` while it trains), `claims` and `support`, `average`,
`calibrate`, `evaluate`, `ablate`, `held_out`, `card`. `pretrained` has the starting weights, `statistics` the metrics.
Commands take `--data PATH` (or the environment variable QUOTH_DATA): the folder that holds the data sets.
"""
