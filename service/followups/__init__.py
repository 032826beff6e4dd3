"""Follow-up questions: rules that exchange a slot or find the topic, a language model that rewrites, and its guard.

Read in this order: dependence, slots, keywords, rules, guard, rewriter.
"""
