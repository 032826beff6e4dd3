"""Uploads and the jobs that index them: accepted by any server, done by a worker process, and safe when either is killed.

Read in this order: records, protocol, database (schema.sql), incoming, files, validation, queue, leases, indexing, pending,
worker, supervision; postgres and shared_files for what machines share.
"""
