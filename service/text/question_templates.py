"""Turn English sentences into questions by templates, and only where the question reads well. Pure.

After the overgenerate-and-rank tradition of Heilman & Smith 2010 (https://aclanthology.org/N10-1086), reduced to
templates whose grammar is safe: definitions, counts, years, places, agents and objects.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from index.blocks.labels import IDENTITY
from service.text.calendar_words import MONTHS
from service.text.noun_phrases import DEIXIS, head_noun, is_plural, is_quantity, sentence_inner
from service.text.terms import content_words

Kind = Literal["definition", "count", "year", "place", "agent", "object"]

_NAME = r"[A-Z][\w'’-]+(?: (?:of|the|and|for) (?=[A-Z])[A-Z][\w'’-]+| (?!The\b)[A-Z0-9][\w'’-]*)*"
_HEAD = rf"(?:{_NAME}|[a-z][\w-]{{3,}})"
_TOPIC = rf"(?:The |An? )?(?:[a-z][\w-]+ ){{0,4}}?{_HEAD}(?: of (?:the )?{_HEAD})?"
MONTH = "|".join(map(str.capitalize, MONTHS))
NUMBER = (
    r"(?:about |over |nearly |more than |at least |some |up to )?(?:\d[\d,.]*(?: (?:thousand|million|billion))?|"
    r"two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
)
_UNIT = r"(?:[a-z][\w-]+ ){0,2}[a-z][\w-]+s"
_BASE = {
    "has": "have",
    "had": "have",
    "holds": "hold",
    "held": "hold",
    "built": "build",
    "sold": "sell",
    "made": "make",
    "employs": "employ",
    "employed": "employ",
    "operates": "operate",
    "operated": "operate",
    "includes": "include",
    "included": "include",
    "contains": "contain",
    "contained": "contain",
    "reported": "report",
    "killed": "kill",
    "provides": "provide",
    "provided": "provide",
    "requires": "require",
    "required": "require",
    "means": "mean",
    "produces": "produce",
    "produced": "produce",
    "uses": "use",
    "used": "use",
    "covers": "cover",
    "covered": "cover",
    "offers": "offer",
    "offered": "offer",
    "supports": "support",
    "describes": "describe",
    "measures": "measure",
    "recommends": "recommend",
    "recommended": "recommend",
    "prohibits": "prohibit",
    "receives": "receive",
    "received": "receive",
    "represents": "represent",
    "consists of": "consist of",
    "consisted of": "consist of",
    "depends on": "depend on",
    "refers to": "refer to",
    "results in": "result in",
    "resulted in": "result in",
    "promised": "promise",
    "released": "release",
    "caused": "cause",
    "causes": "cause",
    "stands for": "stand for",
}
_COUNTED = {
    "has",
    "had",
    "holds",
    "held",
    "killed",
}  # "What does Seoul hold?" is no question, "How many ... hold?" is one
_PATTERNS: dict[Kind, re.Pattern[str]] = {
    "definition": re.compile(
        rf"(?P<subject>{_TOPIC}) (?P<verb>is|are|was|were) (?P<answer>(?:an?|the) [^.;:]{{12,160}})\.$"
    ),
    "count": re.compile(
        rf"(?:(?P<subject>{_TOPIC}) (?P<verb>{'|'.join(_BASE)})|There (?P<there>are|were)) "
        rf"(?P<answer>{NUMBER}) (?P<unit>{_UNIT})\b(?P<rest>[^.;:]*)\.$"
    ),
    "year": re.compile(
        rf"(?P<subject>{_TOPIC}) (?P<verb>was|were) (?P<participle>[a-z]+(?:ed|en|un|ilt|old|et|ade))(?P<middle>[^.;:,]*?) "
        rf"in (?P<answer>(?:(?:{MONTH}) )?[12]\d{{3}})(?P<rest>[^.;:]*)\.$"
    ),
    "place": re.compile(
        rf"(?P<subject>{_TOPIC}) (?P<verb>is|are|was|were) (?P<participle>located|situated|based|headquartered|born|buried) "
        r"(?P<answer>(?:in|at|near|on) [^.;:]{3,80})\.$"
    ),
    "agent": re.compile(
        rf"(?P<answer>(?:The )?{_NAME}) (?P<verb>founded|built|wrote|designed|invented|discovered|published|signed|led|"
        r"launched|acquired|bought|developed|created|established|commissioned|proposed|won) "
        r"(?P<rest>(?!in\b|with\b|on\b|by\b|for\b|at\b|upon\b|up\b|into\b|from\b|to\b)[^.;:,]{8,120})\.$"
    ),
    "object": re.compile(
        rf"(?P<subject>{_TOPIC}) (?P<verb>{'|'.join(verb for verb in _BASE if verb not in _COUNTED)}) "
        r"(?P<answer>(?!been\b|to\b|not\b|are\b|is\b)[^.;:]{8,140})\.$"
    ),
}
_CONTEXT_WORD = re.compile(
    r"(?i)(?:it|its|itself|they|their|this|that|these|those|he|she|his|her|such|both|one|we|our|i|you|who)\b"
)
_OPENERS = frozenset(
    "in on at by from after before during initially later since when while although though some many most several other "
    "all each every for with under if as then however thus also once until unlike despite because what who where another "
    "there no none much few more less today recently finally first second third".split()
)
_BAD_UNIT = re.compile(
    r"\b(?:to|on|of|in|and|for|from|with|by|at|as|that|which|who|or|is|was|has|does|its|this|times|years)\b"
)
_QUESTIONS: dict[Kind, str] = {
    "definition": "What {verb} {subject}?",
    "year": "When {verb} {subject} {participle}{middle}?",
    "place": "Where {verb} {subject} {participle}?",
    "count": "How many {unit} {auxiliary} {subject} {base}{rest}?",
    "object": "What {auxiliary} {subject} {base}?",
}
_MODAL = re.compile(r"\b(?:would|could|should|will|can|may|might|must|not|never|also)\b")
_MAX_WORDS, _MIN_WORDS = 40, 5
_ATTRIBUTES = frozenset(
    "owner author manager contact address phone email deadline capital colour color language version period frequency "
    "location office department team supplier manufacturer currency unit material format license port default".split()
)
_PHRASE = re.compile(r"[^\W\d_][\w'’-]*(?: [^\W\d_][\w'’-]*){0,3}")
_NO_NOUN = re.compile(r"(?i)(?:with|without|in|of|for|by|to|if|when|per|at|on|from|as|not)\b")
_NO_KIND = re.compile(
    r"(?i)(?:\w+ed|questions?|numbers?|no|dates?|years?|periods?|notes?|descriptions?|values?|total|page|item)"
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A question and its answer, literally in the sentence."""

    kind: Kind
    question: str
    answer: str


def propose(sentence: str) -> Iterator[Proposal]:
    """The question that the sentence yields; none if it depends on earlier sentences or is a fragment."""
    flat = " ".join(sentence.split())
    words = flat.split()
    if (
        flat != sentence.strip()
        or not _MIN_WORDS <= len(words) <= _MAX_WORDS
        or _CONTEXT_WORD.match(flat)
        or '"' in flat
    ):
        return
    for kind, pattern in _PATTERNS.items():
        match = pattern.match(flat)
        if match is not None and sentence.count(match["answer"]) == 1 and not _is_vague(match):
            question = _question(kind, match)
            yield Proposal(kind, question, match["answer"])
            return


def cell_question(corner: str, row: str, column: str, value: str) -> str | None:
    """The question for a cell of an English table: "What is the monthly price of the plan Small?".

    `corner` is the header of the first column, which says what the rows are. None if the header of the column is no noun
    for something that one asks for, or the corner does not say what the row is.
    """
    if not _PHRASE.fullmatch(column) or _NO_NOUN.match(column) or DEIXIS.search(f"{column} {row}"):
        return None
    measure = sentence_inner(column, keeps_capital=False)
    kind = corner.casefold()
    if IDENTITY.match(corner):
        named = row
    elif _PHRASE.fullmatch(kind) and len(kind.split()) <= 2 and not is_plural(kind) and not _NO_KIND.fullmatch(kind):
        named = f"the {kind} {row}"
    else:
        return None
    if is_quantity(column) or head_noun(column) in _ATTRIBUTES:
        return f"What {'are' if is_plural(column) else 'is'} the {measure} of {named}?"
    is_count = is_plural(column) and re.fullmatch(r"\d[\d,.]*", value) is not None
    return f"How many {measure} does {named} have?" if is_count else None


def _question(kind: Kind, match: re.Match[str]) -> str:
    parts = match.groupdict()
    if kind == "agent":
        return "Who {verb} {rest}?".format_map(parts)
    if parts.get("there"):
        return "How many {unit} {there} there{rest}?".format_map(parts)
    verb = parts["verb"]
    parts |= {
        "subject": _lower_article(parts["subject"]),
        "base": _BASE.get(verb, verb),
        "auxiliary": "does" if verb.split()[0].endswith("s") else "did",
    }
    return _QUESTIONS[kind].format_map(parts)


def _lower_article(subject: str) -> str:
    """The subject as it reads inside a sentence: an article loses its capital, a name keeps it."""
    first, _, rest = subject.partition(" ")
    return f"{first.lower()} {rest}" if first in {"The", "A", "An"} and rest else subject


def _is_vague(match: re.Match[str]) -> bool:
    """Whether the question is unclear: an opening word mistaken for a name, or a topic that only the context names."""
    parts = match.groupdict()
    opener = (parts.get("subject") or match["answer"]).split()[0].casefold()
    subject = parts.get("subject") or f"{parts.get('unit', '')} {parts['rest']}"
    named = re.search(r"[A-Z]\w", _lower_article(subject)) is not None
    return (
        opener in _OPENERS
        or bool(_MODAL.search(subject) or DEIXIS.search(subject))
        or (not named and len(content_words(subject)) < 2)
        or bool(_CONTEXT_WORD.match(match["answer"]))
        or ("unit" in parts and bool(_BAD_UNIT.search(match["unit"])))
    )
