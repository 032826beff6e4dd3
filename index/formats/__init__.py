"""The formats of files: each reader turns a file into canonical text with blocks.

Read in this order: registry, source_file, limits, canonical, nodes, node_parts, node_writer, parsed, parse, readers; then the
folders text, html, messages, office, pdf, and containers for files that hold other files.
"""
