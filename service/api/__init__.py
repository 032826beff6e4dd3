"""The HTTP door: routes that turn JSON into questions and answers into JSON or server-sent events.

Read app.py (the factory) first, then chat.py; schemas.py is the wire contract, problems.py every error, requests.py what
happens around each request. Nothing here decides an answer: that is service/answering/answerer.py.
"""
