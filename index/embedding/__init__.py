"""Texts -> vectors: the Encoder protocol, the model that ships, other models, and an encoder for tests.

Read in this order: weights, minilm, minilm_network, encoder. Only minilm_network imports torch.
"""
