"""Questions that a collection answers, for a page that has none yet: drawn from its documents, and tried out.

Read in this order: candidates (a document -> questions, pure), suggester (tried by the answerer, in the background, and kept).
"""
