"""The vector index (FAISS) of a collection: a cache of the ledger's vectors, exact, quantised or partitioned by size.

Read in this order: structure, segment, builder, files, index.
"""
