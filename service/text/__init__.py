"""Text as answers need it: words, figures, statements, refusals and citation markers. Pure.

Read in this order: words, plain, figures, statements, refusals, markers.
"""
