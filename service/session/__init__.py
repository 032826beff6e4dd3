"""What every door stands on: the service as one caller may use it, answers run or streamed, and admission control.

A door is a way in: HTTP, Slack, MCP. Doors know this package and never each other.

Read in this order: admission, session, run, stream.
"""
