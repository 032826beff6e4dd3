"""Blocks -> units -> chunks of whole units with the headings above them. Pure.

Read in this order: sentences, full_stops, runs, repeated, units, cutting, chunker.
"""
