"""The HTTP routes, one resource a file. A function's name is part of its operation's id in the OpenAPI document."""
