"""Answers a question with citations. `answerer` holds the whole path of a question, readable from top to bottom.

Read in this order: answerer, writing, checking, quotes, citations, service.
"""
