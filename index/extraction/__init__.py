"""Files are parsed in a separate process with limits on memory and time, so that a bad file costs that file alone.

Read in this order: sandbox, worker, extractor, contents, prefetch.
"""
