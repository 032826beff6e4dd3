"""What goes over the wire, as pydantic models, with the examples of the OpenAPI document.

Read in this order: base, answers, search, documents, jobs, conversations, openai, examples.
"""
