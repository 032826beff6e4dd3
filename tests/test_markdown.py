"""Markdown is read as blocks over its unchanged source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.blocks.block import UNREAD, Kind
from index.blocks.unit import render
from index.chunking.units import document_units
from index.formats.text.markdown import read_markdown
from tests.growth import assert_linear
from tests.test_units import read


def found(text: str, *kinds: Kind) -> list[str]:
    return [text[b.start : b.end] for b in read_markdown(text).blocks if b.kind in kinds]


def as_read(text: str, kind: Kind) -> list[str]:
    """The text of the blocks of that kind, without what is left out when it is read."""
    blocks = read_markdown(text).blocks
    shown: list[str] = []
    for number, block in enumerate(blocks):
        if block.kind is not kind:
            continue
        words, position = "", block.start
        for inner in blocks[number + 1 :]:
            if inner.kind in UNREAD and position <= inner.start and inner.end <= block.end:
                words += text[position : inner.start] + (inner.marker if inner.kind is Kind.MARKUP else "")
                position = inner.end
        shown.append(words + text[position : block.end])
    return shown


def labels(text: str, words: str) -> list[str]:
    block = next(b for b in read_markdown(text).blocks if text[b.start : b.end] == words and b.labels)
    return [text[start:end] for start, end in block.labels]


def test_marks_of_emphasis_links_code_and_escapes_are_left_out() -> None:
    text = r"A **bold**ness, _it_ ![pic](x.png) and [a *link*](http://a.b 'T') with `code`, \*no\* &amp; <http://x.y>."
    assert as_read(text, Kind.PARAGRAPH) == ["A boldness, it pic and a link with code, *no* & http://x.y."]


def test_struck_out_and_hidden_text_and_marks_of_notes_are_marked() -> None:
    text = (
        "~~Old~~ New[^1] <del>gone</del> <span hidden>x</span>.\n\n<!-- not\nthis -->\n\n"
        "[^1]: The note\n    goes on.\n\n[a]: http://b\n"
    )
    assert found(text, Kind.STRUCK) == ["~~Old~~", "<del>gone</del>"]
    assert found(text, Kind.HIDDEN) == ["<span hidden>x</span>", "<!-- not\nthis -->", "[a]: http://b"]
    assert [(b.kind, b.marker) for b in read_markdown(text).blocks if b.kind in (Kind.MARK, Kind.NOTE)] == [
        (Kind.MARK, "1"),
        (Kind.NOTE, "1"),
    ]


def test_a_superscript_does_not_fuse_with_a_figure() -> None:
    text = "It costs 250<sup>1</sup> euros, 10<sup>5</sup> litres or H<sub>2</sub>O."
    assert as_read(text, Kind.PARAGRAPH) == ["It costs 250 euros, 10^5 litres or H2O."]


def test_headings_have_levels_and_no_marks_when_read() -> None:
    text = "# One *x* #\n\nTwo\nlines\n---\n"
    assert as_read(text, Kind.HEADING) == ["One x", "Two\nlines"]
    assert [b.level for b in read_markdown(text).blocks if b.kind is Kind.HEADING] == [1, 2]


def test_items_keep_marks_depth_paragraphs_and_code() -> None:
    text = "Do this:\n\n3. First\n   line\n   - inner\n4. Second:\n\n   ```sh\n   run\n   ```\n\n   More.\n"
    items = [(b.marker, b.level) for b in read_markdown(text).blocks if b.kind is Kind.ITEM]
    assert items == [("3.", 1), ("-", 2), ("4.", 1)]
    assert labels(text, "run") == ["4. Second:"]
    assert found(text, Kind.PARAGRAPH) == ["Do this:", "More."]
    assert labels(text, text[text.index("3.") :].rstrip()) == ["Do this:"]


def test_lists_inside_quotations_are_found_behind_their_marks() -> None:
    text = "> He said\n> this:\n>\n> - a *b*\n>   c\n"
    assert as_read(text, Kind.PARAGRAPH) == ["He said\nthis:"]
    assert as_read(text, Kind.ITEM) == ["- a b\nc"]


def test_cells_have_headers_blanks_and_escaped_bars() -> None:
    text = "| **Day** | A \\| B | C |\n|---|:-:|---|\n| Monday | | 1<br>2 |\n| Tuesday | x \\| `y` |\n"
    blocks = read_markdown(text).blocks
    cells = [text[b.start : b.end] for b in blocks if b.kind is Kind.CELL]
    assert cells == ["Day", "A \\| B", "C", "Monday", "", "1<br>2", "Tuesday", "x \\| `y`", ""]
    assert as_read(text, Kind.CELL)[5:8] == ["1 2", "Tuesday", "x | y"]
    assert labels(text, "Monday") == ["Day"]


def test_definitions_hold_terms_and_meanings() -> None:
    text = "Hut\n: A house.\n\nWinter *room*\n: A room\n: Open in winter.\n"
    assert labels(text, "A house.") == ["Hut"]
    assert labels(text, "Open in winter.") == ["Winter *room*"]


def test_front_matter_is_a_record_and_gives_title_author_and_date() -> None:
    text = "---\ntitle: 'Kitchen rules'\nauthor: Ann Berg\ndate: 2026-02-01\n---\n\n# Kitchen\n"
    parsed = read_markdown(text)
    assert (parsed.title, dict(parsed.metadata)) == ("Kitchen rules", {"author": "Ann Berg", "created": "2026-02-01"})
    assert found(text, Kind.FIELD) == ["Kitchen rules", "Ann Berg", "2026-02-01"]


def test_front_matter_that_is_no_yaml_is_furniture() -> None:
    assert found("---\na: [\n---\nText.", Kind.FURNITURE) == ["a: [\n"]


def test_blocks_nested_too_deep_are_kept_as_paragraphs() -> None:
    text = "".join("  " * depth + f"- word{depth}\n" for depth in range(60))
    covered = "".join(found(text, Kind.ITEM, Kind.PARAGRAPH))
    assert all(f"word{depth}" in covered for depth in range(60))


PIECES = st.sampled_from(
    ["a ", "# ", "\n", "\n\n", "- ", "1. ", "> ", "    ", "`", "```", "**", "_", "[", "](", ")", "|", "---", "~~", "[^1]", ": ",
     "<!--", "-->", "<sup>", "</sup>", "\\", "&amp;", "\t", "😀"]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(PIECES, max_size=50).map("".join)))
def test_ranges_lie_in_those_of_their_holders(text: str) -> None:
    blocks = read_markdown(text).blocks
    for number, block in enumerate(blocks):
        assert 0 <= block.start <= block.end <= len(text)
        if block.parent is not None:
            assert block.parent < number
            holder = blocks[block.parent]
            assert holder.start <= block.start <= block.end <= holder.end


CELL = st.text("abcd  |", max_size=6).map(lambda words: " ".join(words.split()))


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=2, max_size=5), st.sampled_from(["", "> ", "- "]))
def test_a_table_is_read_back(rows: list[list[str]], prefix: str) -> None:
    inner = "  " if prefix == "- " else prefix
    rows[0] = [cell.replace("|", "").strip() or "h" for cell in rows[0]]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    lines.insert(1, "|---|---|---|")
    text = prefix + f"\n{inner}".join(lines)
    cells = [text[b.start : b.end].replace("\\|", "|") for b in read_markdown(text).blocks if b.kind is Kind.CELL]
    assert cells == [cell for row in rows for cell in row]


@given(st.recursive(st.just([]), lambda inner: st.lists(inner, max_size=4), max_leaves=12))
def test_nested_lists_are_read_back(tree: list[object]) -> None:
    lines: list[str] = []

    def write(items: list[object], depth: int) -> None:
        for number, item in enumerate(items):
            lines.append(f"{'   ' * depth}{number + 1}. item {depth}")
            assert isinstance(item, list)
            write(item, depth + 1)

    write(tree, 0)
    text = "\n".join(lines)
    items = [b for b in read_markdown(text).blocks if b.kind is Kind.ITEM]
    assert ["   " * (b.level - 1) + text[b.start : b.end].split("\n")[0] for b in items] == lines
    assert all(text.startswith(b.marker, b.start) for b in items)


@pytest.mark.parametrize(
    "piece",
    [
        "[",
        "![",
        "*",
        "_a",
        "`a",
        "<a ",
        "<!-- ",
        "> ",
        "- a\n",
        "|",
        "a|b\n",
        "~~a",
        "[^1]: a\n\n",
        "a]",
        "&amp;",
        "```\n",
    ],
)
def test_the_time_to_read_hostile_text_grows_with_its_size(piece: str) -> None:
    assert_linear(read_markdown, lambda size: piece * (size // len(piece)), 1_000)


def readings(text: str) -> list[str]:
    document = read("a.md", text)
    rendering = render(document.text, document_units(document))
    return [rendering.text[start:end] for start, end in rendering.spans()]


def test_white_space_between_tags_is_read() -> None:
    assert readings("It is <b>bold</b> <u>x</u>, <i>not</i> <b>y</b>.\n") == ["It is bold x, not y."]


def test_tables_in_html_have_rows_and_cells() -> None:
    text = (
        "Prices:\n\n<table>\n<tr><th>Plan</th><th>Price</th></tr>\n"
        "<tr><td rowspan='2'>Small</td><td><b>29</b> euros</td></tr>\n<tr><td>31 <!-- <td> --></td></tr>\n</table> Ask.\n"
    )
    assert readings(text) == ["Prices:", "Plan: Small; Price: 29 euros.", "31", "Ask."]
    document = read("a.md", text)
    row = next(unit for unit in document_units(document) if unit.kind is Kind.ROW)
    assert text[row.start : row.end] == "<tr><td rowspan='2'>Small</td><td><b>29</b> euros</td></tr>"


def test_a_blank_corner_of_a_table_in_html_hides_no_headers() -> None:
    text = (
        "<table><tr><td></td><th>Summer</th><th>Winter</th></tr><tr><td>Pier</td><td>12</td><td>7</td></tr></table>\n"
    )
    assert readings(text) == ["Pier; Summer: 12; Winter: 7."]


def test_cells_and_items_in_other_html_are_parted() -> None:
    assert readings("<ul><li>One</li><li>Two</li></ul>\n") == ["One Two"]
    assert readings("<table><tr><td>1</td><td>29</td></tr>\n") == ["1 29"]  # it is not closed
