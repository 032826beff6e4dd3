"""Documents -> chunks -> vectors; retrieval. Knows nothing of answers, LLMs or HTTP.

Read in this order: records, errors, sentences, extraction, chunking, runtime, encoder, ledger, vectors, lexicon, fusion,
collection, sync.
"""
