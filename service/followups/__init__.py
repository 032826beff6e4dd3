"""Follow-up questions: rules that exchange a slot or find the topic, a language model that rewrites, and a guard that checks it.

Read in this order: dependence, slots, rules, guard, rewriter.
"""
