"""Calls to Slack's Web API: errors, rate limits, messages, reactions, users.

Read in this order: errors, rate_limits, identity, users, user_groups, reactions, ephemeral, delivery.
"""
