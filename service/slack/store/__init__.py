"""What the Slack app keeps in the database: questions, messages, channels.

Read in this order: tables, questions, messages, channels.
"""
