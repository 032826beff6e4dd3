"""Files that hold other files: archives and mailboxes.

Read in this order: archive, mbox, unpack.
"""
