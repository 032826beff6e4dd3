"""Audits stored answers: verifies them against the documents that they quote, and replays them.

Read in this order: versions, findings, cited_units, part_findings, derivation_findings, verification, replay.
"""
