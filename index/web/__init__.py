"""Web pages against a collection: fetched with guards against private addresses, found by links of a sitemap.

Read in this order: addresses, proxies, fetcher, sitemap, discovery, sync.
"""
