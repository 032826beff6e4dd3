"""ASGI middleware around the routes, listed from the outside in.

Read in this order: request_log, forwarded, authentication, admission, limits.
"""
