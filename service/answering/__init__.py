"""Answers a question with citations.

Read from the top down: answerer (the whole path of a question), finding, parts (of the question), evidence, rows,
answer_writing, writing, checking, quotes, citations, notes; service holds what answers.
"""
