"""Know how good an answer is, and prove it: data sets -> runs -> metrics -> reports.

Read in this order: `cases` (what is asked and what is right), `datasets/` (one adapter a format), `tasks/` (what is observed
and how a case is scored), `metrics/` (the arithmetic), `targets/` (Quoth in this process or over HTTP), `runs` (rows and
manifest), `summary`, `report` and `comparison`. `drafting` and `harvest` make test sets, `judge` asks a language model,
`speed/` measures beside peers. `cli` joins them to the `quoth eval` commands.
"""
