"""Passages -> the sentences of an answer. `draft` says what goes in and comes out; then one file a generator."""
