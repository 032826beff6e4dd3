"""Uploads and the jobs that index them: taken by any server, worked by a process of its own, lost by nobody's crash.

Read in this order: records, backoff, database (schema.sql), originals, intake, rows, queue, leases, presence, indexing, worker,
assembly, supervision.
"""
