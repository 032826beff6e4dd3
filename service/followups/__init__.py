"""Follow-up questions: rules that find the topic, a language model that rewrites, and the guard over what it writes.

Read in this order: rules, guard, rewriter.
"""
