"""Audits stored answers: verifies them against the documents that they quote, and replays them.

Read in this order: versions, findings, part_findings, verification, replay.
"""
