"""What searches the chunks of a collection by meaning and by words, behind one protocol.

Read in this order: search_index; embedded, in the folder of a collection; lance/, on shared storage.
"""
