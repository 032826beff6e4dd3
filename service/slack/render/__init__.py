"""Renders answers as Slack messages, modals and links. Pure.

Read in this order: text (limits, cutting, escaping), richtext, phrases (with a channel's settings), messages, modals.
"""
