"""The paragraphs of a shape -> paragraphs and list items with their marks, raised and struck-out runs. Pure."""

from collections.abc import Sequence
from typing import Any

from index.blocks.block import Kind
from index.formats.list_nodes import ListWriter
from index.formats.nodes import LINE_BREAK, Node, Part
from index.formats.office.list_numbers import bullet, letters, roman
from index.formats.office.office_package import local_name
from index.formats.office.stretches import Stretch, parts_of

_MAX_LEVEL = 8


def has_text(shape: Any) -> bool:
    """Whether the shape holds text."""
    return any((text.text or "").strip() for text in shape.iter("{*}t"))


def plain_line(shape: Any) -> str:
    """Return the text of the shape on one line."""
    lines = (runs_of(paragraph) for paragraph in shape.iterfind("{*}txBody/{*}p"))
    return " ".join(" ".join(Node(None, list(line)).plain() for line in lines).replace(LINE_BREAK, " ").split())


def add_paragraphs(writer: ListWriter, body: Any, styles: Sequence[Any]) -> None:
    """Append the paragraphs of the body. `styles` state the marks of its levels, the closest first.

    A single paragraph with the bullet of its layout is a paragraph: a list has several.
    """
    paragraphs = [(paragraph, runs_of(paragraph)) for paragraph in body.iterfind("{*}p")]
    filled = [(paragraph, runs) for paragraph, runs in paragraphs if Node(None, list(runs)).plain().strip()]
    counts: dict[int, tuple[str, int]] = {}
    for paragraph, runs in filled:
        level = _level(paragraph)
        own = _mark(paragraph.find("{*}pPr"))
        mark = own if own is not None else next(
            (found for style in styles if style is not None
             for found in (_mark(style.find(f"{{*}}lvl{level + 1}pPr")),) if found is not None), None
        )  # fmt: skip
        for deeper in [depth for depth in counts if depth > level]:
            del counts[deeper]
        if mark is None or local_name(mark) == "buNone" or (own is None and len(filled) == 1):
            counts.pop(level, None)
            writer.block(Kind.PARAGRAPH, *runs)
            continue
        writer.item(level, _marker(mark, level, counts), *runs)
    writer.close()


def runs_of(paragraph: Any) -> list[Part]:
    """Return the text of a paragraph with raised, lowered and struck-out runs."""
    stretches: list[Stretch] = []
    for run in paragraph.iterchildren():
        kind = local_name(run)
        if kind == "br":
            stretches.append(Stretch(LINE_BREAK))
        elif kind in ("r", "fld"):
            text = (run.findtext("{*}t") or "").replace("\v", LINE_BREAK).replace("_x000B_", LINE_BREAK)
            stretches.append(_stretch(run.find("{*}rPr"), text))
        elif kind == "m":
            stretches.append(Stretch("".join(part.text or "" for part in run.iter("{*}t"))))
    return parts_of(stretches)


def _stretch(properties: Any, text: str) -> Stretch:
    if properties is None:
        return Stretch(text)
    baseline = properties.get("baseline", "0").rstrip("%")
    align = "down" if baseline.startswith("-") else "up" if baseline.strip("0.") else ""
    return Stretch(text, align, properties.get("strike", "noStrike") != "noStrike")


def _level(paragraph: Any) -> int:
    properties = paragraph.find("{*}pPr")
    level = properties.get("lvl", "0") if properties is not None else "0"
    return min(int(level), _MAX_LEVEL) if level.isdigit() else 0


def _mark(properties: Any) -> Any:
    """The element that states the mark of a paragraph; None if none does."""
    if properties is None:
        return None
    return next(
        (child for child in properties if local_name(child) in ("buNone", "buChar", "buAutoNum", "buBlip")), None
    )


def _marker(mark: Any, level: int, counts: dict[int, tuple[str, int]]) -> str:
    kind = local_name(mark)
    if kind != "buAutoNum":
        counts.pop(level, None)
        return bullet(mark.get("char", ""))
    style = mark.get("type", "arabicPeriod")
    start = mark.get("startAt", "1")
    first = int(start) if start.isdigit() and len(start) < 6 else 1
    same, last = counts.get(level, ("", 0))
    number = last + 1 if same == style else first
    counts[level] = (style, number)
    shown = (
        letters(number) if style.startswith("alpha") else roman(number) if style.startswith("roman") else str(number)
    )
    shown = shown.upper() if "Uc" in style else shown
    if style.endswith("ParenBoth"):
        return f"({shown})"
    return shown + (")" if style.endswith("ParenR") else "." if style.endswith("Period") else "")
