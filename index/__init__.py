"""Documents -> chunks -> vectors; retrieval. Knows nothing of answers, LLMs or HTTP.

Read in this order:

- the facts: records, summary, errors
- files: formats, folder, canonical, headings, webpage, pdftext, office, notebook, reading, worker, guard, extraction
- chunks: sentences, chunking, context
- vectors: runtime, bert, minilm, pretrained, weights, encoder, hashed
- the truth: schema.sql, rows, entries, sqlite, snapshot, ledger
- its caches: disk, lock, filters, scoping, vectors, lexicon, fusion
- the whole: soundness, transfer, collection, library, sync, following
"""
