"""How the models that ship are made, from data sets to weights and cards. No other package imports this one.

Read in this order: `sources`, `mix` and `mix2` (data sets -> groups of question and passage), `search` and `negatives` (near
misses by search and by rule), `augmentation` (titles, inserted lines, noise), `structure` (tables, lists, records), `batches`
(groups -> labelled windows), `epochs` (what is trained on), `arrays` (examples on disk, batches on the device), `losses`,
`loop` and `depth`, then the commands: `prepare` (examples are written once), `teacher` (on `mpnet`) and `label`, `reader`
(measured by `development` while it trains), `claims` and `support`, `distil` (all of these in turn), `average`, `calibrate`,
`threshold`, `evaluate`, `ablate`, `held_out`, `card`. `pretrained` has the starting weights, `statistics` the metrics.
Commands take `--data PATH` (or the environment variable QUOTH_DATA): the folder that holds the data sets.
"""
