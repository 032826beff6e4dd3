"""What is observed of a case and how it is scored: whole answers, retrieval, reading a given passage, checking support."""
