"""Text as answers need it: plain text, words and figures, contradictions, refusals, and citation markers. Pure.

Read in this order: plain, terms, telling_words, alignment, bindings, contradictions, refusals, markers,
noun_phrases, question_templates.
"""
