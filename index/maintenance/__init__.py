"""Work on a whole collection: serialised writers, integrity checks, export and import, moving.

Read in this order: writer, lag, integrity, export, moving.
"""
