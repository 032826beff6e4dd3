"""Who may do what: API keys, their scopes, rates and principals.

Read in this order: caller, key, rate, options, acting, exposure, keyring. All but keyring is pure, which keeps the keys in the
database.
Nothing here knows HTTP: that is service/api/middleware/authentication.py.
"""
