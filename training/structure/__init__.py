"""Training data about documents that are not prose: tables, lists, definitions, records, form fields and code.

Read in this order: `vocabulary` (names, values and attributes out of the public sets), `attributes` (what people keep in
tables, and how they ask for it), `sheets` (facts as keys, attributes and values, and questions about them), `writers` (a sheet
as a document in some format), `lists` and `passages` (lists side by side; passages of the public sets as lists, tables and
definitions), `documents` (files -> passages, as Quoth's own readers, units and chunks show them), `groups` (questions with
passages that answer and near misses).
"""
