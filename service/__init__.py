"""Answer questions with citations, and serve the answers: HTTP, a web page, Slack, MCP, the command line, a Python client.

Read in this order; each folder and file uses only those above it:

- errors, records, progress: the facts that everything works with
- settings, text, storage: what can be set, plain text work, and the database of conversations, feedback and keys
- scoring, prompts, answer_json, access, jobs: the trained models, words for language models, answers from JSON, keys, uploads
- observability: logs, metrics and traces; generators: sentences from passages; followups: follow-up questions
- answering: from a question to a cited answer; the whole path stands in answering/answerer.py
- explaining: why an answer is as it is, and where the right sentence was lost
- audit: old answers verified and replayed
- session, schemas: the service as one caller may use it, and records as JSON
- api (with web), slack, mcp, client, server: the doors, which do not know each other
- composition: the only place that knows all of them
- cli: the commands
"""
