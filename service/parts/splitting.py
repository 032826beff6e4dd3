"""Splits a question into its groups and parts. Pure: what the documents know as one name, the answerer sees."""

from service.parts.clauses import questions_in
from service.parts.comparison import asks_which, compared
from service.parts.coordination import several
from service.parts.question import Group, SplitQuestion, whole

MAX_PARTS = 6
MAX_CHARACTERS = 400
"""A longer text is one question: it tells a story, and the patterns of comparisons take quadratic time."""


def split_question(question: str) -> SplitQuestion:
    """The question as its parts; as one group of one part if it is one question, or one of more than MAX_PARTS parts."""
    one = SplitQuestion((whole(question),))
    if len(question) > MAX_CHARACTERS:
        return one
    comparison = compared(question) if asks_which(question) else None
    if comparison is not None:
        return SplitQuestion((comparison,))
    questions = questions_in(question)
    groups = tuple(_group(text) for text in questions)
    split = SplitQuestion(groups)
    is_split = len(groups) > 1 or not split.is_whole
    return split if is_split and sum(len(group.parts) for group in groups) <= MAX_PARTS else one


def _group(text: str) -> Group:
    return compared(text) or several(text) or whole(text)
