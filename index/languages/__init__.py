"""The language of a text: by its script, by its most frequent words, and by CLD3, which only the extraction process loads.

Read in this order: scripts, frequent_words, detection.
"""
