"""Jupyter notebooks -> text with headings. Pure.

Markdown cells are not changed, so a quote can be found in the file; nor are code cells, which are followed by what they
printed. Pictures and HTML among the results are left out: the notebook holds their plain text beside them. kreuzberg
reads notebooks too, but takes their UTF-8 for Latin-1 (4.10: "Größe" becomes "GrÃ¶Ã e").
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from index.formats.markdown import Heading, markdown_headings
from index.formats.office import StructuredText


class NotANotebook(Exception):
    """The text is not a notebook. The message says why."""


def notebook_text(source: str) -> StructuredText:
    """Text and headings of the cells in order, separated by blank lines. Raises `NotANotebook`."""
    try:
        notebook = json.loads(source)
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]  # before format 4
        blocks = [block for cell in cells for block in _blocks(cell)]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise NotANotebook(f"{type(error).__name__}: {error}") from error
    text: list[str] = []
    headings: list[Heading] = []
    position = 0
    for block, is_markdown in blocks:
        if text:
            text.append("\n\n")
            position += 2
        if is_markdown:
            headings += [heading._replace(start=position + heading.start) for heading in markdown_headings(block)]
        text.append(block)
        position += len(block)
    return StructuredText("".join(text), headings, [])


def _blocks(cell: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """The texts of a cell that are not empty, each with whether it is Markdown."""
    kind = cell["cell_type"]
    source = cell["source"] if "source" in cell else cell.get("input", "")
    if kind == "heading":
        source = f"{'#' * int(cell.get('level', 1))} {_join(source)}"
    texts = [(_join(source), kind in ("markdown", "heading"))]
    texts += [(_output_text(output), False) for output in cell.get("outputs", ())]
    return [(text.strip("\n"), is_markdown) for text, is_markdown in texts if text.strip()]


def _output_text(output: Mapping[str, Any]) -> str:
    """The plain text of an output: what was printed, the value, or the error."""
    if output["output_type"] in ("error", "pyerr"):
        return f"{output.get('ename', '')}: {output.get('evalue', '')}"
    if "text" in output:
        return _join(output["text"])
    return _join(output.get("data", {}).get("text/plain", ""))


def _join(lines: str | Sequence[str]) -> str:
    return lines if isinstance(lines, str) else "".join(lines)
