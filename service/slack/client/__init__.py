"""Calls to Slack's Web API: errors, rate limits, messages, users.

Read in this order: errors, rate_limits, users, ephemeral, delivery.
"""
