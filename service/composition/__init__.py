"""Settings -> running parts: the only package that knows every implementation.

Read in this order: library, generators, service, store, jobs, http, mcp, slack.
"""
