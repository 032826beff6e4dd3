"""A folder against a collection: what is new, changed, renamed or gone, once or for as long as it changes.

Read in this order: listing, plan, importer, sync, watch.
"""
