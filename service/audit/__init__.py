"""Old answers: proved or refuted against the text that they quote, made again, and compared over versions of a document.

Read in this order: versions, verification, replay.
"""
