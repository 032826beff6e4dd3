"""Questions -> cited answers; HTTP API, web page and command line.

Read in this order: records, errors, settings, reader, support, calibration, citations, generators, answering, api, cli.
"""
