"""Questions of several parts: how they are split, and what follows from the parts.

Read in this order: question (what a question is split into), words, clauses, coordination, adjectives, comparison, splitting;
missing; units, figures (numbers and dates with their literal ranges), cited, expected, derivation (the arithmetic).
"""
