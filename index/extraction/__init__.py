"""Reading files in separate processes with limits on memory and time, so that a bad file affects no other file.

Read in this order: sandbox, worker, extractor, contents; then sources, pictures: files found again.
"""
