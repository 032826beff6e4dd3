"""The fields of a PDF form with their values, and the text of notes written on a page, by PDFium."""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium

from index.blocks.geometry import Box
from index.formats.pdf.characters import View
from index.formats.pdf.rows import Row, Word, segments

_MAX_FIELDS = 5_000  # of a page
_REACH = 220.0  # points from a label to its field
_TEXTS = frozenset({pdfium.FPDF_FORMFIELD_TEXTFIELD, pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX})
_BOXES = frozenset({pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON})


class FormField(NamedTuple):
    """A field with its value, its place and the words of the page that name it."""

    value: str
    box: Box
    is_box: bool
    label: tuple[Word, ...] = ()


class PageNotes(NamedTuple):
    """What people wrote on a page beside its own text: the filled fields of forms, and free text."""

    fields: tuple[FormField, ...]
    texts: tuple[str, ...]


def notes_of(page: Any, form: Any, view: View) -> PageNotes:
    """Return the filled fields and the free text of a page; `form` is PDFium's handle of the form, None without one."""
    fields: list[FormField] = []
    texts: list[str] = []
    for number in range(min(pdfium.FPDFPage_GetAnnotCount(page), _MAX_FIELDS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, number)
        if not annotation:
            continue
        kind = pdfium.FPDFAnnot_GetSubtype(annotation)
        if kind == pdfium.FPDF_ANNOT_FREETEXT:
            texts.append(_string(pdfium.FPDFAnnot_GetStringValue, annotation, b"Contents"))
        elif kind == pdfium.FPDF_ANNOT_WIDGET and form is not None:
            fields.extend(_field(annotation, form, view))
        pdfium.FPDFPage_CloseAnnot(annotation)
    return PageNotes(tuple(fields), tuple(text for text in texts if text.strip()))


def with_labels(fields: Sequence[FormField], rows: Sequence[Row]) -> list[FormField]:
    """Return the fields with their labels: the words beside them, else above them; right of a check box."""
    return [_labelled(field, rows) for field in fields]


def _labelled(field: FormField, rows: Sequence[Row]) -> FormField:
    box = field.box
    middle = (box.top + box.bottom) / 2
    beside = [row for row in rows if row.top - 1 <= middle <= row.bottom + 1]
    above = [row for row in rows if row.bottom <= box.top + 3 and box.top - row.bottom < 2 * row.size]
    choices: list[tuple[float, list[Word]]] = []
    for row in beside:
        for run in segments(row, 1.0):
            left, right = run[0].left, run[-1].right
            if right <= box.left + 2:
                choices.append((box.left - right + (40 if field.is_box else 0), run))
            elif left >= box.right - 2 and field.is_box:
                choices.append((left - box.right, run))
    if not choices:
        for row in above:
            for run in segments(row, 1.0):
                if run[0].left < box.right and run[-1].right > box.left:
                    choices += [(box.top - row.bottom, run)]
    if not choices or min(choice[0] for choice in choices) > _REACH:
        return field
    return field._replace(label=tuple(min(choices, key=lambda choice: choice[0])[1]))


def _field(annotation: Any, form: Any, view: View) -> Iterator[FormField]:
    kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    rectangle = pdfium.FS_RECTF()
    if not pdfium.FPDFAnnot_GetRect(annotation, rectangle):
        return
    box = Box(*view.shown(rectangle.left, rectangle.bottom, rectangle.right, rectangle.top))
    if kind in _TEXTS:
        value = _string(pdfium.FPDFAnnot_GetFormFieldValue, form, annotation)
        if value.strip():
            yield FormField(value, box, False)
    elif kind in _BOXES:
        state = _string(pdfium.FPDFAnnot_GetStringValue, annotation, b"AS")
        is_checked = bool(pdfium.FPDFAnnot_IsChecked(form, annotation)) or state not in ("", "Off")
        if is_checked or kind == pdfium.FPDF_FORMFIELD_CHECKBOX:
            yield FormField("yes" if is_checked else "no", box, True)


def _string(function: Callable[..., int], *arguments: Any) -> str:
    """What one of PDFium's functions writes in UTF-16."""
    size = function(*arguments, None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    function(*arguments, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace")
