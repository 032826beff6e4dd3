"""Questions -> cited answers; HTTP API, web page and command line.

Read in this order: records, errors, settings, windows, networks, model_files, reader, support, calibration; conversations,
citations, conflicts, prompts, generators, markers, refusals, quotes, checking, writing, answering; assembly, store;
verification, api, client, mcp, rendering, doctor, cli.
"""
