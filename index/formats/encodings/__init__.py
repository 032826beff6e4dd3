"""Which encoding a text that is no UTF-8 has. Pure.

Read in this order: declared, letters, legacy.
"""
