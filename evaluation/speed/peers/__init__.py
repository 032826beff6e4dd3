"""One program a system. Each runs alone in its own environment: `python PROGRAM WORKLOAD MODEL THREADS` prints one JSON line.

`stopwatch.py` beside them is all that they share; they import nothing else of Quoth.
"""
