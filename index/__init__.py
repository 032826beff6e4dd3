"""Documents -> chunks -> vectors; retrieval. Knows nothing of answers, LLMs or HTTP.

Read in this order:

- the facts: records, summary, errors
- files: formats, folder, canonical, headings, webpage, pdftext, office, notebook, compound, outlook, mail,
  recognition, package, opening, reading
- files in files: members, archive, mailbox, unpacking
- behind the wall: worker, guard, extraction, readahead, contents
- chunks: sentences, chunking, context
- vectors: batching, runtime, bert, minilm, pretrained, weights, encoder, hashed
- the truth: schema.sql, rows, entries, sqlite, layout, snapshot, visits, roots, catalog, passages,
  ledger
- its caches: disk, lock, filters, scoping; structure, flat, partitioned, segment, building, vector_file, vectors;
  words, lexicon_files, lexicon; fusion
- the whole: retrieval, tending, soundness, transfer, collection, naming, library, plan, intake, sync, following
- the web: proxies, addresses, fetching, sitemap, survey, website
"""
