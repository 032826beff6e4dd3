"""The arithmetic of metrics: small pure functions. `None` means "not eligible": such a case has no score, never zero.

`statistics` puts a bootstrap interval around every mean; each other file names the papers that its metrics come from.
"""
