"""ASGI middleware, from the outside in: request_log, authentication, admission, limits."""
