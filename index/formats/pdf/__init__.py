"""PDF: its pages -> canonical text, blocks and the boxes of words, on PDFium alone.

Read in this order: characters, words (characters -> words), rows (words -> lines), columns (lines -> reading order),
tables, grids and tags (rows and cells: by alignment, by rulings, as the file tags them), furniture (running lines),
hyphens, flow (lines -> blocks), headings, fields (forms), places (words -> offsets), reader. `recognition` reads
scanned pages, and `rendering` draws pages.
"""
