"""The structure of a document: blocks over its canonical text, and the units that can be quoted. Pure.

Read in this order: block, lines, labels, sections, excerpt, unit, statement, codec, geometry.
"""
