"""The command line: one command or group of commands a file, over `console` (options, output) and `rendering` (styled lines)."""
