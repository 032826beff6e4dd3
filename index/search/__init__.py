"""Search: query both indexes, fuse the dense and the lexical ranking, and rerank if asked.

Read in this order: fusion, retrieval.
"""
