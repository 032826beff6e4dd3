"""Sync files, folders and objects in stores into a collection: find what is new, changed, renamed or gone, once or
continuously.

Read in this order: retention, listing, folder_note, importer, sync, watch, objects.
`earlier` counts what an earlier version of Quoth read.
"""
