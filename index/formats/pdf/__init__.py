"""PDF: its pages -> canonical text, blocks and the boxes of words, on PDFium alone.

Read in this order: characters, words (characters -> words), rows (words -> lines), columns (lines -> reading order),
wrapping (which lines go on), table, figures, headers, tables (by alignment), grids (by ruling lines), furniture
(running lines), names (of pages), asides (notes, contents pages), hyphens, styles (headings), lists, fields (forms),
ink (words -> nodes and places), flow (all of it -> a tree of blocks), pages, reader. `recognition` reads scanned
pages, and `rendering` draws pages.
"""
