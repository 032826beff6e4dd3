"""Quoth in Slack: questions by mention, message, command, panel and shortcut; answers streamed, with their sources.

Read in this order: tables, posted, questions, once, channels (what is kept); escaping, incoming (what is a question);
limits, splitting, richtext, links, phrases, messages, modals (what is shown, pure); rates, trouble, delivery, private, signs
(how it is shown); identity, people, office, replies, worker (what becomes of a question); actions, handlers (what Slack
sends); door, socket_mode, assembling, manifest, command.
"""
