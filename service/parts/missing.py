"""The sentence that names a part which the documents lack, in the language of the question. Pure."""

from service.text.refusals import REFUSALS, refusal_of

_STOPS = ".。"


def missing_sentence(question: str) -> str:
    """The refusal of one part: "The documents do not say: Who leads it?"."""
    return _with(refusal_of(question), question)


def is_missing_sentence(text: str, question: str) -> bool:
    """Whether the text is such a sentence for the question, in any language."""
    return any(text == _with(refusal, question) for refusal in REFUSALS.values())


def _with(refusal: str, question: str) -> str:
    return f"{refusal.rstrip(_STOPS)}: {question}"
