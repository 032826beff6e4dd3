"""Who may do what: API keys, their scopes, rates and principals.

Read in this order: caller, keys, rate, keyring. All are pure except keyring, which stores the keys in the database. Nothing
here knows HTTP: that is service/api/middleware/authentication.py.
"""
