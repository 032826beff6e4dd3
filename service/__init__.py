"""Questions -> cited answers; HTTP API, web page and command line.

Read in this order: records, errors, settings, stages, tracing, metrics, otel, windows, networks, model_files, reader,
support, calibration; conversations, finding, citations, conflicts, prompts, generators, markers, refusals, quotes, checking,
writing, answering; recording, assembly; tables, engines, database, migrations/, store, conversation_list, retention,
conversation_export, feedback; access/; libraries, jobs/; verification, replay, api, client/, mcp, rendering, doctor, cli.
"""
