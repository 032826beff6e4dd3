"""HTML of any quality -> the tree of nodes that a person sees: web pages, the bodies of mails, chapters of e-books.

Read in this order: element, styles, reader, lists, tables, forms, page.
"""
