"""The service as one caller may use it: whole or streamed answers, and admission control.

The doors that serve many callers (HTTP, Slack, MCP) use this package and never each other.

Read in this order: admission, session, run, stream.
"""
