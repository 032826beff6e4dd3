"""Quoth in Slack: questions by mention, message, command, panel and shortcut; answers streamed, with their sources.

Read in this order: render/ (how answers look), store/ (what is stored), client/ (calls to Slack), events, context, replies,
worker (how a question is answered), actions, handlers (what Slack sends), app, manifest, http.
"""
