"""One query over both indexes: dense and lexical rankings, fused and reranked.

Read in this order: fusion, retrieval.
"""
