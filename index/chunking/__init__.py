"""Canonical text -> sentences -> chunks of whole sentences with the headings above them. Pure.

Read in this order: sentences, chunker.
"""
