"""Uploads and the jobs that index them: accepted by any server, done by a worker process, and safe when either is killed.

Read in this order: records, database (schema.sql), files, validation, queue, leases, indexing, worker, supervision.
"""
