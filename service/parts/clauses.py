"""Splits a question into the questions that it is made of: "When was X founded and who leads it?" Pure.

A second question begins after "and" with a question word of its own, or with an auxiliary verb and its subject. What only
continues the first is no second question: "the rules which apply and which changed", "when it rains and when it snows". A
pronoun in a later question is replaced by what the first one is about, and a later question that only says what is asked
("and for what purpose?") gets the rest of the first. A question of which a part would not stand alone is not split.
"""

import re

from index.languages.frequent_words import likely_language
from service.parts.words import (
    AUXILIARIES,
    DETERMINERS,
    PREPOSITIONS,
    PRONOUNS,
    QUESTION_WORDS,
    Word,
    as_question,
    is_named,
    words_of,
)

MAX_QUESTIONS = 4
_FEWEST_FREQUENT = 1

_ADVERBS = frozenset("when where why how".split())
_BREAK = re.compile(
    r"[?？]+[\"”']*\s+(?:(?:and|but|also|plus|und|et|y|e)\s+)?(?=\w)|"
    r"(?:\s*[,;]\s*|\s+)(?:and|but|plus|as\s+well\s+as|und|sowie|et|ainsi\s+que|y|e|ed)\s+(?:also\s+|then\s+|auch\s+)?(?=\w)|"
    r"\s*[,;]\s*(?=\w)",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"\W*(?:(?:please|can|could|would)\s+(?:you\s+)?)?(?:please\s+)?(?:tell\s+(?:me|us)|explain|describe|say|show(?:\s+me)?)\s+",
    re.IGNORECASE,
)
_MEASURES = frozenset("many much".split())
_LONGEST_ASKING = 3  # words of "for what purpose"
_COPULAS = frozenset("is are was were be".split())
_IT = re.compile(r"\b(?:it|they|them)\b", re.IGNORECASE)
_ITS = re.compile(r"\b(?:its|their)\b(?=\s+[^\W\d_])", re.IGNORECASE)
_THERE = re.compile(r"\bthere\b(?=\W*\Z)", re.IGNORECASE)
_PLACES = frozenset("in at".split())
_DUMMY = re.compile(
    r"\b(?:is|does|was|will)\s+it\s+(?:rain|snow|take|possible|allowed|true|necessary|ok|okay)\b", re.IGNORECASE
)


def questions_in(text: str) -> list[str]:
    """The questions that the text is made of, each standing alone; the text itself if it is one question."""
    pieces = _pieces(text)
    if not 1 < len(pieces) <= MAX_QUESTIONS:
        return [text]
    both = _of_two_words(pieces)
    if both:
        return both
    first = pieces[0]
    later = [_resolved(_completed(piece, first), first) for piece in pieces[1:]]
    return [text] if any(map(_stands_for, later)) else [as_question(first), *map(as_question, later)]


def _pieces(text: str) -> list[str]:
    """The stretches of the text that are questions of their own; one if any stretch is not."""
    opening = _OPENING.match(text)
    start = opening.end() if opening else 0
    embedded = opening is not None
    cuts: list[tuple[int, int]] = []
    begin = start
    for match in _BREAK.finditer(text, start):
        before, after = text[begin : match.start()], text[match.end() :]
        if not _begins_question(after, embedded) or not (_is_question(before, embedded) or _is_question_words(before)):
            continue
        if _continues(before, after):
            continue
        is_list = not match.group().strip(" ,;")
        if is_list and "," in match.group() and not _is_direct(before):
            continue
        cuts.append((match.start(), match.end()))
        begin = match.end()
    edges = [start, *(place for cut in cuts for place in cut), len(text)]
    return [text[one:other].strip() for one, other in zip(edges[::2], edges[1::2], strict=True)]


def _is_question(text: str, embedded: bool) -> bool:
    return _begins_question(text, embedded) and len(words_of(text)) > 2


def _is_direct(text: str) -> bool:
    return _begins_question(text, embedded=False)


def _begins_question(text: str, embedded: bool) -> bool:
    """Whether the text begins as a question: "who leads", "when was", "how many", "is the"; "when it" only after "explain"."""
    words = words_of(text)[:4]
    while words and words[0].small in PREPOSITIONS:
        words = words[1:]
    if len(words) < 2:
        return False
    first, second = words[0].small, words[1].small
    if first in AUXILIARIES and (second in DETERMINERS | PRONOUNS or is_named(words, 1)):
        return True
    if first not in QUESTION_WORDS or (first in AUXILIARIES and likely_language(text, _FEWEST_FREQUENT) == "en"):
        return False
    if embedded or first not in _ADVERBS:
        return True
    return second in AUXILIARIES or (
        first == "how" and (second in _MEASURES or (len(words) > 2 and words[2].small in AUXILIARIES))
    )


def _is_question_words(text: str) -> bool:
    """Whether the text is only a question word: "when" of "when and where was it built"."""
    words = words_of(text)
    return (
        bool(words)
        and words[0].small in _ADVERBS | {"who", "what"}
        and len(words) <= 2
        and not (len(words) == 2 and words[1].small in AUXILIARIES)
    )


def _continues(before: str, after: str) -> bool:
    """Whether what follows "and" continues the first question instead of asking a second one."""
    first, *rest = words_of(before)
    after_words = words_of(after)
    next_word = after_words[0].small
    if next_word in AUXILIARIES:
        # "Who founded and is the head of it?": the subject is the person asked for.
        return first.small in ("who", "what", "which", "whose") and not any(
            word.small in AUXILIARIES for word in rest[:3]
        )
    return next_word not in _ADVERBS and any(word.small == next_word for word in rest)


def _of_two_words(pieces: list[str]) -> list[str]:
    """The two questions of "when and where was X founded"."""
    if len(pieces) != 2 or not _is_question_words(pieces[0]):
        return []
    words = words_of(pieces[1])
    skip = next((number for number, word in enumerate(words) if word.small in AUXILIARIES), None)
    if skip is None or skip > 2:
        return []
    return [as_question(f"{pieces[0]} {pieces[1][words[skip].start :]}"), as_question(pieces[1])]


def _completed(piece: str, first: str) -> str:
    """A later question that only says what is asked, with the rest of the first: "for what purpose was X founded"."""
    words, asked = words_of(piece), words_of(first)
    place = next((number for number, word in enumerate(asked) if word.small in AUXILIARIES), None)
    if place is None or not _only_asks(words):
        return piece
    return f"{piece.rstrip(' ?.!')} {first[asked[place].start :]}"


def _only_asks(words: list[Word]) -> bool:
    """Whether the words are a preposition, a question word and at most a noun: "for what purpose", "by whom"."""
    return (
        1 < len(words) <= _LONGEST_ASKING
        and words[0].small in PREPOSITIONS
        and words[1].small in QUESTION_WORDS
        and not any(word.small in AUXILIARIES for word in words)
    )


def _stands_for(piece: str) -> bool:
    """Whether a pronoun is left in the question that stands for something of another one."""
    return not _DUMMY.search(piece) and bool(_IT.search(piece) or _ITS.search(piece))


def _resolved(piece: str, first: str) -> str:
    """A later question with its pronouns replaced by what the first one is about."""
    if _DUMMY.search(piece):
        return piece
    topic = _topic(first)
    place = _place(first)
    if place and _THERE.search(piece):
        piece = _THERE.sub(lambda _: place, piece)
    if not topic:
        return piece
    piece = _ITS.sub(lambda _: f"{topic}'s", piece, count=1)
    return _IT.sub(lambda _: topic, piece, count=1)


def _topic(question: str) -> str:
    """What a question is about: its last name, several names that belong together, else its subject."""
    words = words_of(question)
    last = next((place for place in reversed(range(len(words))) if is_named(words, place)), None)
    if last is not None:
        return question[words[_start_of_names(words, last)].start : words[last].end]
    return _subject(question, words)


def _start_of_names(words: list[Word], last: int) -> int:
    """The place at which the names begin that end at `last`: "the PX-40 and the PX-90", "Anna Berg"."""
    first = last
    while first > 0:
        before = first - 1
        if is_named(words, before) or words[before].small in ("the", "and", "or", "of", "&"):
            first = before
        else:
            break
    while first < last and words[first].small in ("and", "or", "of", "&"):
        first += 1
    return first


def _subject(question: str, words: list[Word]) -> str:
    """The phrase after the first article, or after the verb that begins the question, up to the next verb or preposition."""
    verb = next((place for place, word in enumerate(words) if word.small in AUXILIARIES), None)
    article = next((place for place, word in enumerate(words) if word.small in ("the", "a", "an", "my", "our")), None)
    if article is None and verb is None:
        return ""
    first = article if article is not None else (verb or 0) + 1
    noun = first if article is None else article + 1
    last = noun
    while last < len(words) and not _ends_phrase(words, last):
        last += 1
    is_inverted = verb is not None and verb < first
    if is_inverted and last > noun + 1 and _is_verb(words, verb or 0, last - 1):
        last -= 1
    return question[words[first].start : words[last - 1].end] if last > noun else ""


def _is_verb(words: list[Word], auxiliary: int, place: int) -> bool:
    """Whether the word is the other half of the verb: "did the pilgrims come", "when was the bridge built"."""
    if words[auxiliary].small not in _COPULAS:
        return True
    is_last = place + 1 == len(words)
    return words[place].small.endswith("ed") or (is_last and words[0].small in ("when", "why", "how"))


def _ends_phrase(words: list[Word], place: int) -> bool:
    small = words[place].small
    return small in (PREPOSITIONS - {"of"}) | AUXILIARIES or (small in DETERMINERS and words[place - 1].small != "of")


def _place(question: str) -> str:
    """The place that a question names last: "in Porto"."""
    words = words_of(question)
    for number in reversed(range(len(words) - 1)):
        after = number + 2 if words[number + 1].small == "the" and number + 2 < len(words) else number + 1
        if words[number].small in _PLACES and is_named(words, after) and not words[after].has_digit:
            end = after
            while end + 1 < len(words) and is_named(words, end + 1):
                end += 1
            return question[words[number].start : words[end].end]
    return ""
