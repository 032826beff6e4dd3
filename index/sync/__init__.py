"""Sync files and folders into a collection: find what is new, changed, renamed or gone, once or continuously.

Read in this order: retention, listing, folder_note, importer, sync, watch.
`earlier` counts what an earlier version of Quoth read.
"""
