"""Jupyter notebooks become text with headings, or are rejected."""

import json

import pytest

from index.formats.notebook import NotANotebook, notebook_text


def notebook(*cells: dict[str, object]) -> str:
    return json.dumps({"cells": cells, "nbformat": 4}, ensure_ascii=False)


def test_markdown_code_and_output_stay_in_order() -> None:
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": ["one\n", "two\n"]},
        {"output_type": "execute_result", "data": {"text/plain": ["42"], "text/html": ["<b>42</b>"]}},
        {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo="}},
        {"output_type": "error", "ename": "ValueError", "evalue": "too big", "traceback": ["\x1b[31m..."]},
    ]
    flow = notebook_text(
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
    assert [(heading.level, heading.text) for heading in flow.headings] == [(1, "Study"), (2, "Results")]
    assert all(flow.text[heading.start :].lstrip("# ").startswith(heading.text) for heading in flow.headings)


def test_a_notebook_of_format_3_is_read() -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["Study"]},
        {"cell_type": "code", "input": ["x = 1"], "outputs": [{"output_type": "pyout", "text": ["1"]}]},
    ]
    flow = notebook_text(json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3}))
    assert (flow.text, flow.headings[0].text) == ("## Study\n\nx = 1\n\n1", "Study")


@pytest.mark.parametrize(
    "source", ["", "{", "[]", "{}", '{"cells": 5}', '{"cells": [5]}', '{"cells": [{}]}', "[" * 10**5]
)
def test_a_file_that_is_not_a_notebook_is_rejected(source: str) -> None:
    with pytest.raises(NotANotebook):
        notebook_text(source)
