"""The ledger of a collection: the only source of truth about documents, versions, chunks, vectors and permissions.

Read in this order: protocol, stored, rows, state, selection; sqlite/, which keeps each ledger in a file of its own, and
postgres/, which keeps all in one database.
"""
