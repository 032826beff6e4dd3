"""The arithmetic: small pure functions, one noun a file. `None` means "not eligible": such a case has no score, never zero.

`intervals` puts a bootstrap interval around every mean; each other file names the paper that its metrics come from.
"""
