"""Propose test cases from a collection: questions from the text's own structure, or by a language model if one is set.

Read in this order: `wording` (words of questions, and what a question may not lean on), `names` (which words are names
in this collection), `proposal` (a question with its gold), then the kinds of questions: `sentences` (definitions, years,
what something has), `goals` (how something is done), `outline` (headings that are questions, lists, steps, terms),
`tables` over `table_rows` and `periods` (cells, comparisons, two-part questions), `records` (fields). `contents` finds
contents pages, `gold` looks for other answers over the whole collection, `near_misses` asks for what is not there,
`draft` chooses. `question_writer` asks a language model, `variants` words a set anew, `cli` holds the commands.
"""
