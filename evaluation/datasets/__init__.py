"""One adapter a file format, each `read(path) -> Dataset`.

`loading` picks the adapter; `records` reads files and points at faults.
"""
