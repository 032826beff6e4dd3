"""Texts -> vectors: the Encoder protocol, the model that ships, any sentence-transformers model, and the hashing test double.

Read in this order: weights, minilm, sentence_transformers, encoder, hashing.
"""
