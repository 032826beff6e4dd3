"""Settings -> running parts: the only package that knows every implementation.

Read in this order: library, generators, service, jobs, http, mcp, slack.
"""
