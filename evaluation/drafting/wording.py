"""The words of questions: what they are about, and what they may not lean on. Pure."""

from index.lexicon.analysis import ANALYZERS

_STOP = frozenset(
    "a an and are as at be been but by can could did do does for from had has have how i if in into is it its many may "
    "me might much must my not of on or our shall should so that the their them then there these they this those to up "
    "was we were what when where which who whom whose why will with would you your".split()
)
_STOP_STEMS = frozenset(
    stem for word in _STOP for stem in ANALYZERS["words"].analyze(word)
)  # "does" and "this" have stems of their own


def content_words(text: str) -> frozenset[str]:
    """The stems that search finds a text by, without those of words that say nothing alone."""
    return frozenset(ANALYZERS["words"].analyze(text)) - _STOP_STEMS


def one_line(text: str) -> str:
    """The text with single blanks."""
    return " ".join(text.split())
