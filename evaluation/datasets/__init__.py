"""Adapters, one for each file format: each reads a path and returns a Dataset.

`loading` chooses the adapter; `records` reads files and reports errors with their line. `golden` is Quoth's own format.
"""
