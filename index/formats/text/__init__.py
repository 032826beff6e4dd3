"""Files whose own text is the canonical text: plain text, Markdown, notebooks, and records such as CSV, JSON and YAML.

Read in this order: block_builder, plain_text and the files named text_*, markdown and those named markdown_*, notebook;
delimited, data_tree and the files named after a format of records.
"""
