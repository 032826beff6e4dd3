"""Questions from tables: one cell, how a row changes, which of two rows is higher, and two rows at once. Pure."""

import re
from collections.abc import Iterator

from evaluation.drafting.names import Names
from evaluation.drafting.periods import Header
from evaluation.drafting.proposal import Check, DraftDocument, Proposal
from evaluation.drafting.sentences import inner
from evaluation.drafting.table_rows import Row, owner_of, tables
from evaluation.drafting.wording import content_words
from index.blocks.block import Kind
from service.text.noun_phrases import DEIXIS, in_small_letters, is_plural, is_quantity

_MAX_LABEL_WORDS, _MAX_CELL_WORDS = 7, 8
_FIGURE = re.compile(r"(?!0\Z)\(?[$€£]?\s?\(?\d[\d,.]*\)?\s?%?")
_DATE = re.compile(r"(?:[A-Z][a-z]+ )?\d.*")
_FLAG = re.compile(r"(?i)yes|no|x|true|false|n/?a|none|optional|required|\d")
_FORM_LABEL = re.compile(r"[()/\[\]:*†§<>=|]|\d{4}|--")
_BARE = re.compile(
    r"(?i)(?:basic|diluted|total|other|net|gross|current|non-current|balance|subtotal|all|none|yes|no|thereafter|"
    r"total .*other.*|(?:less|plus|add|includes?|including)\b.*|[a-z]+-[a-z]+|"
    r"beginning.*|ending.*|.*(?:beginning|end) of (?:the )?period)"
)
_EXPLAINS = re.compile(r"(?i)(?:meaning|description|explanation|definition)")
_VAGUE_MEASURE = re.compile(
    r"(?i)(?:remarks?|purpose|answers?|values?|contents?|comments?|notes?|examples?|details?|information|results?|form|see|"
    r"[a-z]{3,}(?<!e)ed)"  # a participle: collected, updated
)
_MEANS = re.compile(
    r"(?:keyword|code|value|option|flag|term|symbol|abbreviation|priority|type|level|status|field|key|setting)$"
)
_NO_KIND = re.compile(r"(?i)(?:questions?|number|no|date|year|period|notes?|description|value|total|exhibit|page|item)")
_CHANGES = re.compile(
    r"(?i)\b(?:changes?|adjustments?|increase|decrease)\b"
)  # heads rows that do not say so themselves
_CLASS = re.compile(
    r"(?i)\b(?:assets|liabilities|equity|activities|capital|securities|investments|debt|cash|earnings)$"
)


def table_proposals(document: DraftDocument, names: Names, contents: frozenset[int]) -> Iterator[Proposal]:
    """The questions that the tables of a document carry, about the organisation that the document is about."""
    owner = owner_of(document)
    rows = {(unit.start, unit.end): place for place, unit in enumerate(document.units) if unit.kind is Kind.ROW}
    for table in tables(document):
        listed = [row for row in table if rows.get((row.span.start, row.span.end), -1) not in contents]
        for place, row in enumerate(listed):
            yield from _cells(row, names, owner)
            yield from _changes(row, names, owner)
            if place:
                yield from _pairs(listed[place - 1], row, names, owner)


def _cells(row: Row, names: Names, owner: str) -> Iterator[Proposal]:
    has_periods = any(header.period for header, _ in row.cells)
    for header, value in row.cells:
        if not header.period and (
            has_periods or not _kind(row, names) or _kind(row, names) in header.measure.casefold()
        ):
            continue
        asked = _asked(row, header, names, owner)
        is_answer = _FIGURE.fullmatch(value) if header.period else _is_value(value)
        if asked is not None and is_answer:
            explains = not header.period and _EXPLAINS.fullmatch(header.measure)
            question = f"What {_be(asked, header)} {asked}{_when(header)}?"
            if explains:
                kind = _kind(row, names)
                means = _MEANS.search(kind)
                question = f"What does the {kind} {row.label} mean?" if means else f"What is the {kind} {row.label}?"
            elif not header.period and _VAGUE_MEASURE.fullmatch(header.measure):
                continue
            checks = (_check(asked, header, owner, value),)
            yield Proposal("cell", question, ((row.span,),), value, "", header.period, owner, checks)


def _is_value(value: str) -> bool:
    return (
        not _FLAG.fullmatch(value)
        and 0 < len(value.split()) <= _MAX_CELL_WORDS
        and any(map(str.isalnum, value))
        and not DEIXIS.match(value)
    )


def _changes(row: Row, names: Names, owner: str) -> Iterator[Proposal]:
    """How a row changes between two of its periods with the same measure; the earlier one is named first."""
    for (later, value), (earlier, before) in zip(row.cells, row.cells[1:], strict=False):
        is_pair = later.measure == earlier.measure and earlier.year and later.year and earlier.year != later.year
        asked = _asked(row, later, names, owner) if is_pair else None
        alike = _DATE.sub("", later.period) == _DATE.sub("", earlier.period)
        if (
            asked is None
            or not alike
            or not (_FIGURE.fullmatch(value) and _FIGURE.fullmatch(before))
            or value == before
        ):
            continue
        first, last = sorted((earlier, later), key=lambda header: header.year)
        begin, end = (re.sub(r"^(?:in|as of) ", "", header.period) for header in (first, last))
        question = f"How did {asked} change between {begin} and {end}?"
        checks = (_check(asked, later, owner, value), _check(asked, earlier, owner, before))
        yield Proposal("comparison", question, ((row.span,),), "", "", end, owner, checks)


def _pairs(above: Row, row: Row, names: Names, owner: str) -> Iterator[Proposal]:
    """Two rows that stand one below the other: both at once, or which of two parts of a quantity is higher."""
    if above.group != row.group:
        return
    for (header, value), (other_header, other) in zip(above.cells, row.cells, strict=False):
        if header != other_header or not header.period or not _FIGURE.fullmatch(value) or not _FIGURE.fullmatch(other):
            continue
        first, second = _asked(above, header, names, owner), _asked(row, header, names, "")
        if first is None or second is None:
            continue
        checks = (_check(first, header, owner, value), _check(second, header, owner, other))
        gold = ((above.span, row.span),)
        parts = _is_part(above) and _is_part(row)
        labels = content_words(above.label), content_words(row.label)
        if not parts and (labels[0] <= labels[1] or labels[1] <= labels[0]):
            continue  # a sum and its part: nobody asks for both
        if not parts:
            both = f"of {inner(row.label, names)}" if header.measure else second
            question = f"What were {first} and {both}{_when(header)}?"
            yield Proposal("two parts", question, gold, "", "", header.period, owner, checks)
        elif not value.startswith("(") and not other.startswith("("):
            shared = in_small_letters(row.group, names.is_name)
            question = f"Which had the higher {shared}{_when(header)}: {above.label} or {row.label}?"
            yield Proposal("comparison", question, gold, "", "", header.period, owner, checks)


def _is_part(row: Row) -> bool:
    """Whether the row is a part of the quantity that the heading inside the table names."""
    return is_quantity(row.group) and not _CLASS.search(row.group) and not is_quantity(row.label)


def _asked(row: Row, header: Header, names: Names, owner: str) -> str | None:
    """What a cell says, as a noun phrase: "Apple's operating income for Japan", "the price of Large"; None if unclear."""
    label = row.label.strip(" :.")
    words = label.split()
    is_form = (
        "," in label.removesuffix(", net")
        or _FORM_LABEL.search(label)
        or _BARE.fullmatch(label)
        or DEIXIS.search(label)
        or not words
    )
    is_unclear = is_form or len(words) > _MAX_LABEL_WORDS or not label[0].isalpha() or _CHANGES.search(row.group)
    if is_unclear or not _is_clear_measure(header.measure.removesuffix("(s)")):
        return None
    if header.measure:
        measure = in_small_letters(header.measure.removesuffix("(s)"), names.is_name)
        part = inner(label, names) if header.period else f"the {_kind(row, names)} {label}"
        return f"the {measure} of {part}" if names_thing(label) and not row.is_repeated else None
    return _quantity(row, label, names, owner) if header.period else None


def _quantity(row: Row, label: str, names: Names, owner: str) -> str | None:
    """What a row of figures says: the label if it names a quantity, or the quantity of the group for the label."""
    whose = f"{owner}’s " if owner else ""
    is_short = 0 < len(row.group.split()) <= 4 and not _FORM_LABEL.search(row.group)
    if _is_part(row):
        return f"{whose}{in_small_letters(row.group, names.is_name)} for {label}" if is_short else None
    if not is_quantity(label) or (row.is_repeated and not is_short):
        return None
    part = inner(label, names)
    return f"{whose}{part} for {row.group}" if row.is_repeated else f"{whose}{part}"


def _kind(row: Row, names: Names) -> str:
    """What the rows of the table are, as the header of their first column says in one or two words: "plan"."""
    kind = row.corner.casefold()
    fits = 0 < len(kind.split()) <= 2 and kind[0].isalpha() and not _FORM_LABEL.search(kind)
    return "" if not fits or _NO_KIND.fullmatch(kind) or names.holds_name(kind) or is_plural(kind) else kind


def names_thing(label: str) -> bool:
    """Whether a row's label is short enough to be what "the price of ..." asks about."""
    return 0 < len(label.split()) <= 5 and not re.search(r"[.,;]", label)


def _is_clear_measure(measure: str) -> bool:
    words = measure.split()
    return len(words) <= 5 and not re.search(r"[\d\[\]():;|%]", measure) and not DEIXIS.search(measure)


def _be(asked: str, header: Header) -> str:
    head = asked.split("’s ", 1)[-1]
    head = head.removeprefix("the ") if header.measure else head
    if header.period:
        return "were" if is_plural(head) else "was"
    return "are" if is_plural(head) else "is"


def _when(header: Header) -> str:
    return f" {header.period}" if header.period else ""


def _check(asked: str, header: Header, owner: str, value: str) -> Check:
    """Another row answers too if it holds these words: without the organisation, which rows do not name."""
    return Check(content_words(f"{asked} {header.period}") - content_words(owner), (value,))
