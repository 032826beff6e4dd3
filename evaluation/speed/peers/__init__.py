"""One program per system. `python PROGRAM WORKLOAD MODEL THREADS` runs in its own environment, prints one JSON line.

They share only `stopwatch.py` and import nothing else of Quoth.
"""
