"""Questions of several parts: how they are split, and how a part that the documents lack is named.

Read in this order: question (what a question is split into), words, clauses, coordination, splitting, missing.
"""
