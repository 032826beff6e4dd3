"""All file formats that Quoth reads: the registry of formats, one parser per file, and files inside other files.

Read in this order: registry, limits, canonical; markdown, html, pdf, ocr; office, office_zip, notebook; members,
compound_file, outlook, mail; source_file, parse; archive, mbox, unpack.
"""
