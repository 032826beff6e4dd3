"""Records as JSON: the pydantic models that HTTP, MCP, the command line and evaluations send and read.

Read in this order: base, search, answers, conversations, verification.
"""
