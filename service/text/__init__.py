"""Text as answers need it: plain text, words and figures, refusals, and citation markers. Pure.

Read in this order: plain, terms, refusals, markers.
"""
