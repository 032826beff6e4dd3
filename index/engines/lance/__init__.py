"""A search index on shared storage, a folder or an object store, for any number of processes: one Lance table a collection.

Read in this order: conditions, rows, table, projector, index, indexes.
"""
