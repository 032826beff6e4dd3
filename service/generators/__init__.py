"""The generators: from passages to the sentences of an answer.

Read in this order: protocol, extractive, budget, prose, stream_parser, local, chat_events, connection, openai_client, remote,
scripted.
"""
