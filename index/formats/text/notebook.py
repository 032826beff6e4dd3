"""Jupyter notebooks -> text with blocks. Pure.

Markdown cells are not changed, so a quote can be found in the file; nor are code cells, which are followed by what they
printed. Pictures and HTML among the results are left out: the notebook holds their plain text beside them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from index.blocks.block import Block, Kind, Span
from index.blocks.labels import with_labels
from index.formats.canonical import canonical
from index.formats.parsed import Parsed, Unreadable
from index.formats.text.markdown_blocks import markdown_blocks

_FIX = "Open it in Jupyter and save it again"


def read_notebook(source: str) -> Parsed:
    """Return the text and blocks of the cells in order, separated by blank lines. Raises `Unreadable`."""
    try:
        notebook = json.loads(source)
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]  # before format 4
        language = _language(notebook)
        parts = [part for cell in cells for part in _parts(cell)]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        reason = f"it is damaged or no notebook ({type(error).__name__}: {str(error)[:100]})"
        raise Unreadable(reason, _FIX) from error
    text: list[str] = []
    blocks: list[Block] = []
    position = 0
    for body, kind in parts:
        if text:
            text.append("\n\n")
            position += 2
        if kind is None:
            blocks += _moved(markdown_blocks(body), position, len(blocks))
        else:
            blocks.append(Block(kind, position, position + len(body), marker=language if kind is Kind.CODE else ""))
        text.append(body)
        position += len(body)
    whole = "".join(text)
    return Parsed(whole, with_labels(whole, blocks))


def _language(notebook: Mapping[str, Any]) -> str:
    """The language of its code, if it says so."""
    facts = notebook.get("metadata") or {}
    name = (facts.get("language_info") or {}).get("name") or (facts.get("kernelspec") or {}).get("language")
    return str(name) if name else ""


def _parts(cell: Mapping[str, Any]) -> list[tuple[str, Kind | None]]:
    """The texts of a cell that are not empty, each with its kind; None for Markdown."""
    kind = cell["cell_type"]
    source = cell["source"] if "source" in cell else cell.get("input", "")
    if kind == "heading":
        source = f"{'#' * int(cell.get('level', 1))} {_join(source)}"
    is_markdown = kind in ("markdown", "heading")
    own = None if is_markdown else Kind.CODE if kind == "code" else Kind.PARAGRAPH
    texts: list[tuple[str, Kind | None]] = [(_join(source), own)]
    texts += [(_output_text(output), Kind.CODE) for output in cell.get("outputs", ())]
    return [(canonical(text).strip("\n"), kind) for text, kind in texts if text.strip()]


def _output_text(output: Mapping[str, Any]) -> str:
    """The plain text of an output: what was printed, the value, or the error."""
    if output["output_type"] in ("error", "pyerr"):
        return f"{output.get('ename', '')}: {output.get('evalue', '')}"
    if "text" in output:
        return _join(output["text"])
    return _join(output.get("data", {}).get("text/plain", ""))


def _join(lines: str | Sequence[str]) -> str:
    return lines if isinstance(lines, str) else "".join(lines)


def _moved(blocks: Sequence[Block], distance: int, number: int) -> list[Block]:
    """The blocks of a cell, at its place in the text and in the list of blocks."""
    return [
        replace(
            block,
            start=block.start + distance,
            end=block.end + distance,
            parent=None if block.parent is None else block.parent + number,
            labels=tuple(Span(start + distance, end + distance) for start, end in block.labels),
        )
        for block in blocks
    ]
