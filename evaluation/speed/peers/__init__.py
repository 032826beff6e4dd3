"""One program per system. Each runs alone in its own environment: `python PROGRAM WORKLOAD MODEL THREADS` prints one
JSON line.

They share only `stopwatch.py` and import nothing else of Quoth.
"""
