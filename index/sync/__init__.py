"""Sync files and folders into a collection: find what is new, changed, renamed or gone, once or continuously.

Read in this order: listing, importer, sync, watch.
"""
