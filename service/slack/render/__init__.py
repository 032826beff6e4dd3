"""An answer as Slack messages, modals and links. Pure.

Read in this order: limits, text, richtext, links, phrases, channel, messages, modals.
"""
