"""Who may do what: API keys, their scopes, rates and principals.

Read in this order: caller, keys, rate, key_table, key_record, keyring. The first three are pure; keyring stores the keys in the
database, and key_record notes in the home folder that there are some. Nothing here knows HTTP: that is
service/api/middleware/authentication.py.
"""
