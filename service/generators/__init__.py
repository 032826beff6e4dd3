"""The generators: from passages to the sentences of an answer.

Read in this order: protocol, extractive, budget, stream_parser, local, openai_client, remote, scripted.
"""
