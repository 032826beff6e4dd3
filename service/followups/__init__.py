"""Follow-up questions: rules that find the topic, a language model that rewrites, and a guard that checks its rewriting.

Read in this order: rules, guard, rewriter.
"""
