"""Questions from records: the value of a field of what the record names. Pure."""

import re
from collections.abc import Iterator

from evaluation.drafting.proposal import Check, DraftDocument, Proposal
from evaluation.drafting.wording import content_words, one_line
from index.blocks.block import Block, Kind, Span
from index.blocks.labels import IDENTITY
from service.text.noun_phrases import is_plural

_MAX_VALUE_WORDS, _MAX_NAME_WORDS = 12, 6
_WORD_BREAKS = re.compile(r"[_\-\s]+|(?<=[a-z])(?=[A-Z])")
_NOT_ASKED = re.compile(r"(?i)^(?:url|link|href|hash|sha\d*|uuid|guid|comment|notes?)$")


def record_proposals(document: DraftDocument) -> Iterator[Proposal]:
    """A question for each field of each record that names itself; a record is the gold of all of its fields."""
    blocks = document.document.blocks
    fields: dict[int, list[Block]] = {}
    for block in blocks:
        if block.kind is Kind.FIELD and block.parent is not None and blocks[block.parent].kind is Kind.RECORD:
            fields.setdefault(block.parent, []).append(block)
    for inside in fields.values():
        name = next((block for block in inside if _is_name(document, block)), None)
        if name is None:
            continue
        called = one_line(document.words(name.span)).strip("\"'")
        for block in inside:
            key = _key(document, block)
            value = document.words(block.span).strip().strip("\"'")
            fits = block is not name and key and 0 < len(value.split()) <= _MAX_VALUE_WORDS
            if not fits or not any(map(str.isalnum, value)) or _NOT_ASKED.match(key):
                continue
            unit = _unit_at(document, block.span)
            if unit is not None:
                question = f"What {'are' if is_plural(key) else 'is'} the {key} of {called}?"
                asked = content_words(f"{key} {called}")
                yield Proposal("field", question, ((unit,),), value, called, checks=(Check(asked, (value,)),))


def _is_name(document: DraftDocument, block: Block) -> bool:
    value = one_line(document.words(block.span))
    is_short = 0 < len(value.split()) <= _MAX_NAME_WORDS and any(map(str.isalpha, value))
    return is_short and len(block.labels) == 1 and IDENTITY.match(document.words(block.labels[0])) is not None


def _key(document: DraftDocument, block: Block) -> str:
    """The key of a field in words: "price_per_month" is "price per month"."""
    if len(block.labels) != 1:
        return ""
    words = _WORD_BREAKS.split(document.words(block.labels[0]).strip("\"' :"))
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words if word)


def _unit_at(document: DraftDocument, span: Span) -> Span | None:
    """The range of the unit that holds a field."""
    for unit in document.units:
        if unit.start <= span.start and span.end <= unit.end:
            return Span(unit.start, unit.end)
    return None
