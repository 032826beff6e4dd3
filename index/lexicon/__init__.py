"""The lexical index (Tantivy, BM25) of a collection: a cache of the ledger's chunks.

Read in this order: analysis, files, index.
"""
