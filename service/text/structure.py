"""The structure of a language model's Markdown: headings, labels, items and tables, read line by line. Pure."""

import re
from dataclasses import dataclass

from service.records import Cell
from service.text.plain import is_heading, plain_line
from service.text.rows import row_text
from service.text.subjects import subjects

_ITEM = re.compile(r"\s*(?:[-*+•▪◦‣·–]\s+|\(?(?P<ordinal>\d{1,3})[.)]\s+)")
_ROW = re.compile(r"\s*\|.*\|\s*\Z", re.DOTALL)
_BOLD_LINE = re.compile(r"\s*(?:\*\*|__)[^*_\n]{1,80}(?:\*\*|__)\s*\Z")
_DIGIT = re.compile(r"\d")
_MAX_LABEL = 6  # words
_LABEL_OF_ANSWER = re.compile(
    r"(?:(?:the|my|a|an|final|short|direct)[ ])*(?:answer|summary|response|conclusion|details?|key (?:facts|points)|overview"
    r"|result|explanation|antwort|zusammenfassung|réponse|respuesta)s?\Z",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:\*\*|__)?(?:(?:final|short|direct)[ ])?(?:answer|response|antwort|réponse|respuesta):(?:\*\*|__)?[ ]+(?=\S)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Line:
    """A statement as plain text; the label or heading it stands `under`; whether it is an item or a row (`listed`).

    `ordinal` is the number of an item. `cells` are those of a row, each with the header cell above it; the cells of the first
    column have none, since what the first header cell says is not in the statement.
    """

    text: str
    under: str = ""
    listed: bool = False
    ordinal: int | None = None
    cells: tuple[Cell, ...] = ()


class Structure:
    """Reads the sentences of one text in order, and keeps the heading, the label and the table they stand under."""

    def __init__(self) -> None:
        self._heading = ""
        self._label = ""
        self._columns: list[str] | None = None

    def read(self, sentence: str, *, cites: bool) -> Line | None:
        """The sentence as a line of plain text; None for a heading, a line that introduces others, or a table's first row."""
        if _ROW.match(sentence) and sentence.count("|") > 2:
            return self._row(sentence, cites=cites)
        self._columns = None
        text = plain_line(_LEAD.sub("", sentence, count=1) if _LEAD.match(sentence) else sentence)
        if is_heading(sentence) or (_BOLD_LINE.match(sentence) and not text.endswith((".", "!", "?"))):
            self._heading, self._label = _without_colon(text), ""
            return None
        if text.endswith((":", "：")):
            self._label = _label(text)
            return None
        if item := _ITEM.match(sentence):
            ordinal = None if item["ordinal"] is None else int(item["ordinal"])
            return Line(text, self._label or self._heading, listed=True, ordinal=ordinal)
        self._label = ""
        return Line(text, self._heading)

    def _row(self, sentence: str, *, cites: bool) -> Line | None:
        """A row as `first cell: second column: second cell; ...`."""
        cells = [plain_line(cell) for cell in sentence.strip().strip("|").split("|")]
        if self._columns is None:
            self._columns = cells
            if not cites:
                return None
            self._columns = []
        columns = ["", *self._columns[1:], *[""] * len(cells)][: max(len(cells), len(self._columns))]
        cells += [""] * (len(columns) - len(cells))
        row = tuple(map(Cell, columns, cells))
        return Line(row_text(row), self._label or self._heading, listed=True, cells=row)


def _label(lead_in: str) -> str:
    """What the items after "The PX-40:" or "The PX-40 has:" are about; of a longer sentence, only a name with a digit."""
    about = subjects(lead_in)
    if about:
        return about[-1] if _DIGIT.search(about[-1]) else ""
    return _without_colon(lead_in) if len(lead_in.split()) <= _MAX_LABEL else ""


def _without_colon(text: str) -> str:
    label = text.rstrip(":： ")
    return "" if _LABEL_OF_ANSWER.match(label) else label
