"""Answers a question with citations.

Read from the top down: answerer (the whole path of a question), writing, checking, quotes, citations; service holds the parts.
"""
