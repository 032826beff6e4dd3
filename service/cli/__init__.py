"""The command line. A file holds one command, or one group of commands, with the lines that it shows.

Engines are imported inside the commands: torch alone takes seconds, and `quoth --help` needs none of it.

Read in this order: interruption, console, doctor, rendering, index, collections, conversations, keys, audit, servers, app.
"""
