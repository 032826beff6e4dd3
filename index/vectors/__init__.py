"""The vector index (FAISS) of a collection: a cache of the ledger's vectors, exact or quantised by size.

Read in this order: structure, flat, partitioned, segment, builder, files, index.
"""
