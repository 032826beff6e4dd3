"""Why an answer is as it is: from the trace of one answer to what each step decided, and where the right sentence was lost.

Read in this order: explanation (the records), expected (where the right words stand), ranks, choices, blame, explain.
"""
