"""A question -> a cited answer. `answerer` is the story, readable from top to bottom.

Read in this order: answerer, retrieval, quotes, writing, checking, citations, conflicts, service.
"""
