"""Every file format that is read: the registry of formats, one parser a file, and files inside other files.

Read in this order: registry, limits, canonical; markdown, html, pdf, ocr; office, office_zip, notebook, outlook, compound_file,
mail; source_file, parse; members, archive, mbox, unpack.
"""
