"""Sync web pages into a collection: fetch them safely, with the pages that sitemaps list.

Read in this order: proxies, addresses, fetcher, discovery, sync.
"""
