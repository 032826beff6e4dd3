"""The runs of a Word paragraph -> its text: raised, lowered and struck-out runs, marks of notes, fields of forms. Pure."""

from collections.abc import Callable, Iterator
from typing import Any

from index.formats.nodes import LINE_BREAK, Part
from index.formats.office.docx_styles import RunStyle, Styles, attribute, is_on, run_style, value
from index.formats.office.office_package import local_name
from index.formats.office.stretches import Stretch, parts_of

_CARRIERS = frozenset(
    {
        "hyperlink",
        "smartTag",
        "fldSimple",
        "ins",
        "moveTo",
        "sdtContent",
        "customXml",
        "dir",
        "bdo",
        "ruby",
        "rubyBase",
        "oMathPara",
    }
)
_ACROSS = frozenset({"tab", "ptab"})
_SYMBOLS = {"\uf0fc": "✓", "\uf0fb": "✗", "\uf0fe": "☒", "\uf0a8": "☐", "\uf0b0": "°", "\uf0b1": "±", "\uf06d": "μ"}


class RunReader:
    """Reads the running text of paragraphs. `note` gives the mark of the note that a reference names."""

    def __init__(self, styles: Styles, note: Callable[[str, str], str]) -> None:
        self._styles = styles
        self._note = note
        self.boxes: list[Any] = []  # text boxes and charts in the paragraphs read so far

    def read(self, paragraph: Any, style: RunStyle) -> tuple[list[Part], bool]:
        """Return the text of a paragraph, and whether all of it is bold."""
        runs: list[Stretch] = []
        is_bold = True
        for element in self._runs(paragraph):
            if local_name(element) == "oMath":
                runs.append(Stretch(math_text(element)))
                continue
            properties = element.find("{*}rPr")
            named = (
                self._styles.of(value(properties, "rStyle"), "character").run if properties is not None else RunStyle()
            )
            look = run_style(properties).over(named).over(style)
            if look.is_hidden:
                continue
            for run in self._pieces(element, look):
                if run.text.strip() and not look.is_bold:
                    is_bold = False
                runs.append(run)
        return parts_of(runs), is_bold and any(run.text.strip() for run in runs)

    def _runs(self, holder: Any) -> Iterator[Any]:
        for child in holder:
            kind = local_name(child)
            if kind in ("r", "oMath"):
                yield child
            elif kind == "sdt":
                if not is_on(child.find("{*}sdtPr"), "showingPlcHdr"):
                    yield from self._runs(child)
            elif kind in _CARRIERS:
                yield from self._runs(child)

    def _pieces(self, run: Any, look: RunStyle) -> Iterator[Stretch]:
        align = {"superscript": "up", "subscript": "down"}.get(look.align or "", "")
        is_struck = bool(look.is_struck)
        for child in run:
            kind = local_name(child)
            if kind == "t":
                yield Stretch(child.text or "", align, is_struck)
            elif kind in _ACROSS:
                yield Stretch("\t", align, is_struck)
            elif kind in ("br", "cr"):
                yield Stretch("" if attribute(child, "type") in ("page", "column") else LINE_BREAK, align, is_struck)
            elif kind == "noBreakHyphen":
                yield Stretch("\u2011", align, is_struck)
            elif kind == "sym":
                yield Stretch(_symbol(attribute(child, "char")), align, is_struck)
            elif kind == "fldChar":
                yield Stretch(_form_value(child), align, is_struck)
            elif kind in ("footnoteReference", "endnoteReference"):
                if not is_on_attribute(child, "customMarkFollows"):
                    yield Stretch(self._note(kind.removesuffix("Reference"), attribute(child, "id")), is_note=True)
            elif kind == "ruby":
                for inner in self._runs(child):
                    yield from self._pieces(inner, look)
            elif kind in ("drawing", "pict", "object", "AlternateContent"):
                self.boxes += _boxes(child)


def math_text(element: Any) -> str:
    """Return a formula on one line: `a/b`, `x^2`, `x_i`."""
    kind = local_name(element)
    if kind == "t":
        return element.text or ""
    parts = [math_text(child) for child in element if local_name(child) not in ("rPr", "ctrlPr")]
    by_name = {local_name(child): part for child, part in zip(element, parts, strict=False)}
    if kind == "f":
        return f"{_grouped(by_name.get('num', ''))}/{_grouped(by_name.get('den', ''))}"
    if kind in ("sSup", "sSub", "sSubSup"):
        below = f"_{_grouped(by_name['sub'])}" if by_name.get("sub") else ""
        above = f"^{_grouped(by_name['sup'])}" if by_name.get("sup") else ""
        return f"{by_name.get('e', '')}{below}{above}"
    if kind == "rad":
        return f"√{_grouped(by_name.get('e', ''))}"
    return "".join(parts)


def is_on_attribute(element: Any, name: str) -> bool:
    """Whether the attribute of that local name switches something on."""
    return attribute(element, name) in ("1", "true", "on")


def _grouped(text: str) -> str:
    return text if len(text) < 2 or text.isalnum() else f"({text})"


def _symbol(code: str) -> str:
    try:
        sign = chr(int(code, 16))
    except (ValueError, OverflowError):
        return ""
    return _SYMBOLS.get(sign, "" if "\ue000" <= sign <= "\uf8ff" else sign)


def _form_value(field: Any) -> str:
    """The value of a box to tick or of a list to choose from, which no run repeats."""
    data = field.find("{*}ffData")
    if data is None:
        return ""
    box = data.find("{*}checkBox")
    if box is not None:
        is_ticked = is_on(box, "checked")
        return "☒" if (is_on(box, "default") if is_ticked is None else is_ticked) else "☐"
    choice = data.find("{*}ddList")
    if choice is None:
        return ""
    entries = [attribute(entry, "val") for entry in choice.iterfind("{*}listEntry")]
    number = value(choice, "result") or value(choice, "default") or "0"
    return entries[int(number)] if number.isdecimal() and int(number) < len(entries) else ""


def _boxes(drawing: Any) -> list[Any]:
    """The text boxes and charts in a drawing; of alternatives for newer and older programs, those for the newer."""
    found: list[Any] = []
    stack = [drawing]
    while stack:
        element = stack.pop()
        kind = local_name(element)
        if kind in ("txbxContent", "chart"):
            found.append(element)
        elif kind == "AlternateContent":
            stack += [child for child in element if local_name(child) == "Choice"][:1] or list(element)[:1]
        else:
            stack += reversed(element)
    return found
