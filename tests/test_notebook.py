"""Jupyter notebooks become text with blocks, or are rejected."""

import json

import pytest

from index.blocks.block import Kind
from index.blocks.sections import sections
from index.formats.parsed import Unreadable
from index.formats.text.notebook import read_notebook


def notebook(*cells: dict[str, object]) -> str:
    return json.dumps({"cells": cells, "nbformat": 4}, ensure_ascii=False)


def test_markdown_code_and_output_stay_in_order() -> None:
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": ["one\n", "two\n"]},
        {"output_type": "execute_result", "data": {"text/plain": ["42"], "text/html": ["<b>42</b>"]}},
        {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo="}},
        {"output_type": "error", "ename": "ValueError", "evalue": "too big", "traceback": ["\x1b[31m..."]},
    ]
    flow = read_notebook(
        notebook(
            {"cell_type": "markdown", "source": ["Größe 😀\n", "\n", "# Study\n", "We found it.\n"]},
            {"cell_type": "code", "source": "# no heading\nx = 1", "outputs": outputs},
            {"cell_type": "markdown", "source": "## Results"},
            {"cell_type": "code", "source": [], "outputs": []},
        )
    )
    assert flow.text == (
        "Größe 😀\n\n# Study\nWe found it.\n\n# no heading\nx = 1\n\none\ntwo\n\n42\n\nValueError: too big\n\n## Results"
    )
    headings = [block for block in flow.blocks if block.kind is Kind.HEADING]
    assert [(heading.level, flow.text[heading.start : heading.end]) for heading in headings] == [
        (1, "# Study"), (2, "## Results"),
    ]  # fmt: skip
    code = [flow.text[block.start : block.end] for block in flow.blocks if block.kind is Kind.CODE]
    assert code == ["# no heading\nx = 1", "one\ntwo", "42", "ValueError: too big"]
    assert [section.trail for section in sections(flow.text, flow.blocks)] == [("Study",), ("Study", "Results")]


def test_a_notebook_of_format_3_is_read() -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["Study"]},
        {"cell_type": "code", "input": ["x = 1"], "outputs": [{"output_type": "pyout", "text": ["1"]}]},
    ]
    flow = read_notebook(json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3}))
    assert flow.text == "## Study\n\nx = 1\n\n1"
    assert (flow.blocks[0].kind, flow.blocks[0].level) == (Kind.HEADING, 2)


@pytest.mark.parametrize(
    "source", ["", "{", "[]", "{}", '{"cells": 5}', '{"cells": [5]}', '{"cells": [{}]}', "[" * 10**5]
)
def test_a_file_that_is_not_a_notebook_is_rejected(source: str) -> None:
    with pytest.raises(Unreadable, match="no notebook"):
        read_notebook(source)


def test_code_is_introduced_by_the_cell_before_it() -> None:
    cells = (
        {"cell_type": "markdown", "source": "To start, run:"},
        {"cell_type": "code", "source": "go()", "outputs": []},
    )
    flow = read_notebook(notebook(*cells))
    code = next(block for block in flow.blocks if block.kind is Kind.CODE)
    assert [flow.text[start:end] for start, end in code.labels] == ["To start, run:"]
