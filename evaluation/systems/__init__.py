"""Measure other systems on the same cases: whatever gives an answer to a question, with what it says beside it.

`answer` is what a system may say, `citation_styles` how citations stand in a text, `targets` the four ways to ask (a file of
answers, an OpenAI-compatible endpoint, a command, a Python function), `task` how the answers are scored, `execution` a run.
A metric that the data do not allow is absent.
"""
