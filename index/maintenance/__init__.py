"""Work on a whole collection: one writer at a time, integrity checks, export and import.

Read in this order: writer, integrity, export.
"""
