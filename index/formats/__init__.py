"""All file formats that Quoth reads: the registry of formats, one parser per file, and files inside other files.

Read in this order: registry, limits, canonical; markdown, html, pdf, ocr; members, archive; office, office_zip, notebook;
compound_file, outlook, mail; source_file, parse; mbox, unpack.
"""
