"""Units -> one sentence of an answer: what they state, with what introduces them. Pure."""

import re
from collections.abc import Callable, Sequence

from index.blocks.block import Kind, Span
from index.blocks.unit import Unit

_COLON = re.compile(r"[:：]\W*\Z")
_ENDS = tuple(".,:!?;…。，、！？：")
_NUMBER = re.compile(r"\s*\(?[0-9]{1,3}[.)]\s+")


def statement(units: Sequence[Unit], literal: Callable[[Span], str], plain: Callable[[str], str]) -> str:
    """Return what the units state, one after the other.

    `literal` gives the text of a range of the document, `plain` a text as one line without marks. A lead-in that ends in a
    colon comes first, and so does the row that heads a row with others; the items of a list keep their numbers if there are
    several, and are parted by semicolons unless they end in a mark of their own.
    """
    first, last = units[0], units[-1]
    leads = [lead for lead in first.lead if not first.start <= lead.start < last.end]
    introduced = ((plain(literal(lead)), _is_group(lead, first)) for lead in leads)
    parts = [text if is_lead_in(text) else f"{text}:" for text, is_group in introduced if is_group or is_lead_in(text)]
    items = sum(unit.kind is Kind.ITEM for unit in units)
    was_prose = False
    line = " ".join(parts)
    for unit in units:
        text = "".join(piece.before + literal(Span(piece.start, piece.end)) for piece in unit.pieces)
        number = _NUMBER.match(text) if items > 1 and unit.kind is Kind.ITEM else None
        said = (f"{number.group().strip()} " if number else "") + plain(text)
        is_prose = unit.kind is Kind.PARAGRAPH
        gap = " " if line.endswith(_ENDS) or (is_prose and was_prose) else "; "
        line = f"{line}{gap}{said}" if line else said
        was_prose = is_prose
    return line


def _is_group(lead: Span, unit: Unit) -> bool:
    """Whether a lead of a row heads it inside the table, below the header: "Operating income" above the segments."""
    if unit.kind is not Kind.ROW:
        return False
    headers = (piece.start for piece in unit.pieces if piece.start < piece.end <= unit.start)
    return min(headers, default=unit.start) < lead.start < unit.start


def is_lead_in(text: str) -> bool:
    """Whether the text ends in a colon, so that it states nothing without what it introduces."""
    return _COLON.search(text) is not None
