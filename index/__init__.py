"""Find passages: files become documents, chunks and vectors, and a search returns hits. Knows nothing of answers, LLMs or HTTP.

Read in this order; each file and folder uses only those above it:

- records, errors, uris: the facts that everything works with
- storage: SQLite, locks, files that are replaced atomically
- formats: one file in any format becomes documents with canonical text
- extraction: run the parsers in a process of their own, with limits
- chunking: documents become chunks
- inference, embedding: run a network, and turn texts into vectors
- filters, ledger: the source of truth about documents, chunks, vectors and permissions
- vectors, lexicon: the two search indexes, caches of the ledger
- search: query both and fuse their rankings
- maintenance: serialise writers, check a collection, export and import it
- collection: one collection, the interface of this package; library: all collections by name
- sync, web: bring a collection up to date with a folder or a website
"""
