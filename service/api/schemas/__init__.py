"""What only HTTP sends: documents, jobs, OpenAI's protocol, and the examples of the OpenAPI document.

Read in this order: documents, jobs, openai, examples.
"""
