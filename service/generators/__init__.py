"""Passages -> the sentences of an answer. One protocol, several ways: `draft` says what is exchanged, then one file a generator."""
