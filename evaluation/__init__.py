"""Measure how good answers are: data sets -> runs -> metrics -> reports.

Read in this order: `cases` (what is asked and what is right), `datasets/` (one adapter per format), `tasks/` (what is
observed and how a case is scored), `metrics/` (the arithmetic), `targets` (Quoth in this process or over HTTP),
`retrievers` (the searches that are compared), `corpus` (documents into a collection) and `document_matching` (a found
document -> its name in the data set).

A run: `suite` (suite.toml and its gates), `execution` (a plan -> a run), `runs` (cases through a task), `rows` and
`manifest` (what is stored), `sealing` (cases that are kept apart), then `summary`, `explanations` (where cases are lost),
`plots`, `worst`, `report` and `comparison`. Making test sets: `drafting/` and `harvest`. `judge` asks a language model; it
and drafting use `structured_replies`. `reference` checks retrieval figures without Quoth's search. `systems/` asks
other systems the same cases and `side_by_side` shows runs in one table; `frame`, `pytest_plugin` and `annotations` are
for notebooks, tests and GitHub Actions. `speed/` measures beside other systems. `cli` holds the `quoth eval` commands,
`terminal` what they share, `errors` the error tree.
"""
