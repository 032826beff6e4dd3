"""What the Slack app stores in the database: questions, messages, settings of channels.

Read in this order: tables, messages, questions, channels.
"""
