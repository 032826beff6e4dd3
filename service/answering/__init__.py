"""Answers a question with citations.

Read from the top down: answerer (the whole path of a question), parts (of the question), evidence, rows, answer_writing,
writing, checking, quotes, citations; service holds what answers.
"""
