"""The lexicon (BM25 by Tantivy) of a collection: a cache of the ledger's chunks.

Read in this order: stems, analysis, files, index.
"""
