"""The HTTP server process: its socket, its start and its end."""
