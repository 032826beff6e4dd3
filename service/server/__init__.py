"""The HTTP server process: its socket, and its shutdown."""
