"""Quoth's own words, one TOML file for each language: what answers, the page and Slack say besides what the documents say.

`table.py` reads them. A translator edits only the TOML files; tests/test_phrases.py says what is missing.
"""
