"""Units are what can be quoted: whole, literal, apart from each other, and read with what names them."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import PurePath
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.blocks.block import Block, Kind, Span
from index.blocks.statement import statement
from index.blocks.unit import render
from index.chunking.chunker import LIMIT, chunk_document
from index.chunking.units import document_units
from index.formats.limits import Limits
from index.formats.parse import parse_document
from index.formats.registry import format_of
from index.records import Document, Hit
from service.answering.checking import CheckedSentence, DraftChecker, SupportPolicy
from service.answering.citations import Numbering, with_markers
from service.audit.verification import Verdict, verify
from service.generators.extractive import ExtractiveGenerator
from service.generators.protocol import Passage
from service.records import Answer
from service.scoring.reader import Reading, SentenceReading
from service.text.plain import plain_line
from tests.test_chunking import words

Read = tuple[Kind, str, list[str]]


def read(name: str, text: str) -> Document:
    file = PurePath(name)
    found = format_of(file)
    assert found is not None
    return parse_document(text.encode(), file, f"file:///{name}", Limits(), found)


def units(document: Document) -> list[Read]:
    """The kind of each unit, how it is read, and what it is led by."""
    rendering = render(document.text, document_units(document))
    return [
        (unit.kind, rendering.text[start:end], [document.text[slice(*lead)] for lead in unit.lead])
        for unit, start, end in rendering.units
    ]


def quotes(document: Document) -> list[str]:
    return [document.text[unit.start : unit.end] for unit in document_units(document)]


def values(document: Document) -> list[list[str]]:
    return [[document.text[slice(*value)] for value in unit.values] for unit in document_units(document)]


def test_a_paragraph_gives_its_sentences_and_a_heading_one_unit() -> None:
    assert units(read("a.md", "# Ropes\n\nOle sells rope. It has\na tag.\n")) == [
        (Kind.HEADING, "# Ropes", []),
        (Kind.PARAGRAPH, "Ole sells rope.", []),
        (Kind.PARAGRAPH, "It has\na tag.", []),
    ]


def test_text_outside_of_all_blocks_is_prose() -> None:
    text = "Ole sells rope. Closed on Monday.\n\nPorts\n\nKai is open."
    start = text.index("Ports")
    document = Document("d", "v", "file:///d", "D", "text/plain", text, blocks=(Block(Kind.HEADING, start, start + 5),))
    assert [(kind, said) for kind, said, _ in units(document)] == [
        (Kind.PARAGRAPH, "Ole sells rope."),
        (Kind.PARAGRAPH, "Closed on Monday."),
        (Kind.HEADING, "Ports"),
        (Kind.PARAGRAPH, "Kai is open."),
    ]


def test_items_are_led_by_what_introduces_them_and_by_the_items_above() -> None:
    document = read("a.md", "You may return:\n\n- rope, if it is\n  - unused,\n  - whole;\n- hooks.\n")
    assert units(document) == [
        (Kind.PARAGRAPH, "You may return:", []),
        (Kind.ITEM, "rope, if it is", ["You may return:"]),
        (Kind.ITEM, "unused,", ["You may return:", "rope, if it is"]),
        (Kind.ITEM, "whole;", ["You may return:", "rope, if it is"]),
        (Kind.ITEM, "hooks.", ["You may return:"]),
    ]
    rendering = render(document.text, document_units(document))
    assert rendering.text == "You may return:\nrope, if it is\nunused,\nwhole;\nhooks."
    assert rendering.alone(2) == "You may return:\nrope, if it is\nunused,"


def test_a_record_whose_name_stands_in_it_is_read_alone_after_that_name() -> None:
    document = read("jobs.ini", "[night]\nport = 40\n\n[day]\nport = 75\n")
    rendering = render(document.text, document_units(document))
    assert [rendering.alone(n) for n in range(len(rendering.units))] == ["night\nport: 40.", "day\nport: 75."]


def test_a_step_keeps_its_number_and_leads_its_code() -> None:
    assert units(read("a.md", "1. Open the box.\n2. Cut:\n\n   ```sh\n   cut -d x\n   tie\n   ```\n")) == [
        (Kind.ITEM, "1. Open the box.", []),
        (Kind.ITEM, "2. Cut:", []),
        (Kind.CODE, "cut -d x\n   tie", ["2. Cut:"]),
    ]


def test_a_row_is_read_with_its_header_cells_without_its_blank_cells() -> None:
    document = read("a.md", "| Article | Bergen | Oslo |\n|---|---|---|\n| Rope | 40 | 75 |\n| Hook |  | 3~~4~~ |\n")
    assert units(document) == [
        (Kind.ROW, "Article: Rope; Bergen: 40; Oslo: 75.", []),
        (Kind.ROW, "Article: Hook; Oslo: 3.", []),
    ]
    assert quotes(document)[0] == "| Rope | 40 | 75 |"
    assert values(document) == [["Rope", "40", "75"], ["Hook", "3"]]


def test_the_context_of_a_row_is_literal_and_outside_of_it() -> None:
    document = read("a.html", "<p>In kroner:</p><table><tr><th>Article<th>Oslo<tr><td>Rope<td>75</table>")
    row = document_units(document)[-1]
    assert [document.text[slice(*span)] for span in row.context] == ["In kroner:", "Article", "Oslo"]


def test_rows_under_a_row_of_one_cell_over_all_columns_are_led_by_it() -> None:
    table = "<tr><th>Article<th>Oslo</tr>{}<tr><td>Thin<td>75</tr>{}<tr><td>Big<td>9</tr>"
    page = read("a.html", f"<table>{table.format('<tr><td colspan=2>Ropes', '<tr><td colspan=2>Hooks')}</table>")
    assert units(page) == [
        (Kind.ROW, "Ropes", []),
        (Kind.ROW, "Article: Thin; Oslo: 75.", ["Ropes"]),
        (Kind.ROW, "Hooks", []),
        (Kind.ROW, "Article: Big; Oslo: 9.", ["Hooks"]),
    ]


def test_a_group_of_rows_ends_with_its_total_and_is_named_in_what_a_row_states() -> None:
    rows = [
        "Current assets||",
        "Cash|26|13",
        "Total cash and notes|27|14",
        "(1)||",
        "Total current assets|163|169",
        "Goodwill|67|66",
    ]
    cells = "".join(f"<tr><td>{row.replace('|', '<td>')}</tr>" for row in rows)
    page = read("a.html", f"<p>In euros:</p><table><tr><th>Item<th>2023<th>2022</tr>{cells}</table>")
    found = document_units(page)
    assert [[page.text[slice(*lead)] for lead in unit.lead][1:] for unit in found[2:]] == [["Current assets"]] * 4 + [
        []
    ]
    said = [statement([unit], lambda span: page.text[slice(*span)], plain_line) for unit in (found[2], found[-1])]
    assert said == [
        "In euros: Current assets: Item: Cash; 2023: 26; 2022: 13.",
        "In euros: Item: Goodwill; 2023: 67; 2022: 66.",
    ]


def test_a_cell_over_two_columns_has_both_names_and_one_over_two_rows_is_in_both() -> None:
    page = read(
        "a.html",
        "<table><tr><th>Article<th>Bergen<th>Oslo<tr><td rowspan=2>Rope<td colspan=2>40<tr><td>41<td>75</table>",
    )
    assert [said for _, said, _ in units(page)] == [
        "Article: Rope; Bergen Oslo: 40.",
        "Article: Rope; Bergen: 41; Oslo: 75.",
    ]


def test_records_are_read_with_their_keys_and_led_by_the_keys_above() -> None:
    document = read("a.json", '{"shop": {"name": "Kai", "open": "9 to 5"}, "goods": [{"sku": "A1", "price": 3}]}')
    assert units(document) == [
        (Kind.RECORD, "name: Kai; open: 9 to 5.", ["shop"]),
        (Kind.RECORD, "sku: A1; price: 3.", ["goods"]),
    ]
    assert values(document) == [["Kai", "9 to 5"], ["A1", "3"]]


def test_a_blank_field_of_a_record_is_left_out() -> None:
    assert units(read("a.csv", "Article,Bergen,Oslo\nRope,40,75\nHook,,3\n")) == [
        (Kind.RECORD, "Article: Rope; Bergen: 40; Oslo: 75.", []),
        (Kind.RECORD, "Article: Hook; Oslo: 3.", []),
    ]


def test_a_definition_is_read_with_its_terms_and_its_value_is_the_meaning() -> None:
    page = read("a.html", "<dl><dt>Splice<dt>Join<dd>To weave ropes. By hand.<dt>Knot<dd>A tie.</dl>")
    assert units(page) == [
        (Kind.MEANING, "Splice, Join: To weave ropes. By hand.", []),
        (Kind.MEANING, "Knot: A tie.", []),
    ]
    assert values(page) == [["To weave ropes. By hand."], ["A tie."]]
    assert quotes(page)[1] == "Knot\nA tie."


def test_the_sentences_of_a_long_meaning_are_units_with_the_term() -> None:
    meaning = " ".join(f"Strand number {number} goes over the one before it." for number in range(12))
    page = read("a.html", f"<dl><dt>Splice<dd>{meaning}</dl>")
    said = [said for _, said, _ in units(page)]
    assert len(said) == 12
    assert said[7] == "Splice: Strand number 7 goes over the one before it."


def test_the_label_of_a_form_field_is_read_with_its_value_only() -> None:
    page = read("a.html", "<p>Fill in.</p><form><label>Name <input name=x value='Ann Li'></label></form>")
    assert units(page) == [(Kind.PARAGRAPH, "Fill in.", []), (Kind.FIELD, "Name: Ann Li", [])]
    assert values(page)[1] == ["Ann Li"]


def test_quotations_are_led_by_who_wrote_them() -> None:
    text = "Ole wrote:\nWe are open. Come in."
    document = Document(
        "d",
        "v",
        "file:///d",
        "D",
        "text/plain",
        text,
        blocks=(
            Block(Kind.QUOTATION, 11, len(text), labels=(Span(0, 10),)),
            Block(Kind.PARAGRAPH, 11, len(text), parent=0),
        ),
    )
    assert units(document)[1:] == [
        (Kind.PARAGRAPH, "We are open.", ["Ole wrote:"]),
        (Kind.PARAGRAPH, "Come in.", ["Ole wrote:"]),
    ]


@pytest.mark.parametrize("kind", [Kind.FURNITURE, Kind.HIDDEN, Kind.STRUCK])
def test_what_is_not_read_gives_no_unit(kind: Kind) -> None:
    text = "Page 7 of 9\nKai is open."
    blocks = (Block(kind, 0, 11), Block(Kind.PARAGRAPH, 12, len(text)))
    document = Document("d", "v", "file:///d", "D", "text/plain", text, blocks=blocks)
    assert units(document) == [(Kind.PARAGRAPH, "Kai is open.", [])]


def test_struck_words_and_marks_of_notes_are_quoted_and_not_read() -> None:
    document = read("a.md", "Rope costs ~~40~~ 45 kroner[^1].\n\n[^1]: With tax.\n")
    assert quotes(document)[0] == "Rope costs ~~40~~ 45 kroner[^1]."
    assert " ".join(units(document)[0][1].split()) == "Rope costs 45 kroner."
    assert units(document)[1] == (Kind.NOTE, "With tax.", [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("It was ~~29 euros~~. Kai is open.", ["Kai is open."]),
        ("It was ~~29~~ 31 euros.", ["It was 31 euros."]),
        ("The monthly price of rope is ~~29~~.", []),
        ("The price is ~~29 euros~~", []),
        ("Rope costs ~~45~~ many kroner.", ["Rope costs many kroner."]),
        ("Rope is for boats. ~~It costs 9.~~ Kai is open.", ["Rope is for boats.", "Kai is open."]),
        ("The harbour master is ~~Ole~~.", []),
        ("The ~~old~~ harbour is open.", ["The harbour is open."]),
    ],
)
def test_a_sentence_whose_answer_is_struck_out_gives_no_unit(text: str, said: list[str]) -> None:
    assert [" ".join(found.split()) for _, found, _ in units(read("a.md", f"{text}\n"))] == said


def test_long_code_is_cut_at_lines() -> None:
    lines = [f"move --to {number} --from {number + 1}  # a step" for number in range(40)]
    code = [said for kind, said, _ in units(read("a.md", "```\n" + "\n".join(lines) + "\n```\n")) if kind is Kind.CODE]
    assert len(code) > 1
    assert [line for part in code for line in part.split("\n")] == lines


# Any document


CELL = st.text("abc 7.:;|é", max_size=12)


@st.composite
def tables(draw: st.DrawFn) -> str:
    columns = draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(CELL, min_size=columns, max_size=columns), min_size=1, max_size=4))
    head = draw(st.booleans())
    span = draw(st.booleans())
    html = [f"<tr>{''.join(f'<th>{cell}</th>' for cell in rows[0])}</tr>"] if head else []
    html += [f"<tr><td colspan={columns}>Group</td></tr>"] if span else []
    html += [f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows]
    return f"<table>{''.join(html)}</table>"


PROSE = st.lists(st.sampled_from(["Kai is open.", "Ole sells rope:", "No.", "See 3.4 below", "Hm! Yes?"]), max_size=4)
PARTS = st.recursive(
    st.one_of(
        PROSE.map(lambda said: f"<p>{' '.join(said)}</p>"),
        tables(),
        CELL.map(lambda text: f"<h2>{text}</h2>"),
        CELL.map(lambda text: f"<pre>{text}\n{text}</pre>"),
        st.lists(CELL, min_size=1, max_size=3).map(
            lambda terms: f"<dl>{''.join(f'<dt>{term}' for term in terms)}<dd>Meaning {terms[0]}</dl>"
        ),
        CELL.map(lambda text: f"<form><label>{text} <input name=x value='{text}'></label></form>"),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(
            lambda parts: f"<ul>{''.join(f'<li>{part}' for part in parts)}</ul>"
        ),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda parts: f"<ol>{''.join(f'<li>Step: {part}' for part in parts)}</ol>"
        ),
        inner.map(lambda part: f"<blockquote>{part}</blockquote>"),
        inner.map(lambda part: f"<dl><dt>Term<dd>{part}</dl>"),
    ),
    max_leaves=5,
)
PAGES = st.lists(PARTS, min_size=1, max_size=4).map(lambda parts: f"<h1>Start</h1>{''.join(parts)}")


@given(page=PAGES)
def test_units_are_literal_apart_and_in_order(page: str) -> None:
    document = read("a.html", page)
    found = document_units(document)
    assert all(0 <= unit.start < unit.end <= len(document.text) for unit in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    for unit in found:
        assert all(0 <= piece.start <= piece.end <= len(document.text) for piece in unit.pieces)
        assert any(unit.start <= piece.start < piece.end <= unit.end for piece in unit.pieces)
        assert all(document.text[slice(*span)].strip() for span in unit.context)
        assert all(document.text[slice(*span)].strip() for span in unit.values)


@st.composite
def block_trees(draw: st.DrawFn) -> Document:
    """A document whose blocks lie anywhere in it, over each other too."""
    text = draw(st.text("ab. \n", max_size=40))
    blocks: list[Block] = []
    for number in range(draw(st.integers(0, 8))):
        parent = draw(st.one_of(st.none(), st.integers(0, number - 1))) if number else None
        start, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
        label = Span(*sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text))))))
        labels = (label,) if draw(st.booleans()) else ()
        blocks.append(Block(draw(st.sampled_from(Kind)), start, end, parent, labels=labels))
    return replace(read("a.txt", "Kai."), text=text, blocks=tuple(blocks))


@given(document=block_trees())
def test_units_are_apart_and_in_order_whatever_the_blocks(document: Document) -> None:
    found = document_units(document)
    assert all(0 <= unit.start < unit.end <= len(document.text) for unit in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    for unit in found:
        assert any(unit.start <= piece.start < piece.end <= unit.end for piece in unit.pieces)
    rendering = render(document.text, found)
    for start, end, source in rendering.origins:
        assert rendering.text[start:end] == document.text[source : source + end - start]


@given(page=PAGES)
def test_a_rendering_leads_back_to_the_document(page: str) -> None:
    document = read("a.html", page)
    rendering = render(document.text, document_units(document))
    for start, end, source in rendering.origins:
        assert rendering.text[start:end] == document.text[source : source + end - start]


# Answers over units


def hits(document: Document) -> list[Hit]:
    chunks = chunk_document(document, words)
    return [Hit(chunk, document.title, document.uri, None, 1.0) for chunk in chunks]


def passage(hit: Hit, scores: Sequence[float]) -> Passage:
    spans = hit.chunk.rendering.spans() if hit.chunk.rendering is not None else []
    readings = [
        SentenceReading(*span, scores[place % len(scores)], Span(span.start, span.end))
        for place, span in enumerate(spans)
    ]
    return Passage(hit, Reading(scores[0], tuple(readings)))


def answer(document: Document, passages: Sequence[Passage]) -> Answer:
    numbering = Numbering(passages, {(document.id, document.version): document.pages})
    checker: Any = None  # what is quoted is never checked
    drafts = ExtractiveGenerator().generate("What?", passages)
    drafted = DraftChecker(passages, numbering, checker, SupportPolicy())
    sentences = tuple(ready.sentence for draft in drafts if isinstance(ready := drafted.check(draft), CheckedSentence))
    assert sentences
    return Answer(
        id="a",
        conversation_id="c",
        question="What?",
        rewritten_question="What?",
        text=" ".join(with_markers(s.text, s.citations) for s in sentences),
        refused=False,
        confidence=0.9,
        sentences=sentences,
        citations=numbering.citations,
        passages=tuple(passage.hit for passage in passages),
        generator="extractive",
        prompt_hash=None,
    )


def never(pairs: Any) -> Any:
    raise AssertionError(f"what is quoted needs no checker: {pairs}")


def is_proved(document: Document, made: Answer) -> bool:
    verification = verify(made, lambda *_: document, never, min_support=0.5)
    assert verification.findings == ()
    return verification.verdict is Verdict.PROVED


@given(page=PAGES, scores=st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=1, max_size=6))
def test_verify_proves_every_extractive_answer(page: str, scores: list[float]) -> None:
    document = read("a.html", f"{page}<p>Kai is open all day.</p>")
    passages = [passage(hit, scores) for hit in hits(document)]
    assert is_proved(document, answer(document, passages))


def test_verify_proves_answers_over_the_parts_of_a_row_that_is_too_long_for_a_chunk() -> None:
    columns = 2 * LIMIT // 3
    header = "".join(f"<th>Port {number}" for number in range(columns))
    cells = "".join(f"<td>{number} kroner" for number in range(columns))
    document = read("a.html", f"<table><tr>{header}<tr>{cells}</table>")
    found = hits(document)
    assert len(found) > 2
    for hit in found:
        made = answer(document, [passage(hit, [1.0])])
        assert made.sentences[0].text.startswith("Port 0: 0 kroner; Port")
        assert is_proved(document, made)


def test_every_part_of_a_unit_that_is_too_long_is_literal() -> None:
    text = " ".join(f"strand{number}" for number in range(3 * LIMIT))
    for document in (read("a.txt", f"{text}."), read("a.json", f'{{"name": "Kai", "strands": "{text}"}}')):
        parts = chunk_document(document, words)
        assert len(parts) > 2
        assert all(document.text[part.start : part.end] == part.text for part in parts)
        assert "".join(np.char.replace([part.text for part in parts], " ", "")).count("strand") >= 3 * LIMIT


def test_a_row_with_a_struck_out_value_heads_no_rows_below() -> None:
    found = units(read("a.html", "<table><tr><th>Item<th>Price<tr><td>Kayak<td><s>640</s><tr><td>Canoe<td>980</table>"))
    assert [(text, lead) for kind, text, lead in found if kind is Kind.ROW] == [
        ("Kayak", []),
        ("Item: Canoe; Price: 980.", []),
    ]


def test_what_a_named_sender_writes_is_read_with_the_name() -> None:
    mail = (
        "From: Ann Ek <ann@example.org>\nSubject: Jetty\n\nAgreed.\n\n-----Original Message-----\nFrom: Bo Ny\n"
        "Sent: Monday, June 2, 2025 9:12 AM\nTo: Ann Ek\nSubject: Jetty\n\nI bring the plans. Ann pays.\n"
    )
    said = [text for kind, text, _ in units(read("a.eml", mail)) if kind is Kind.PARAGRAPH]
    assert said[-2:] == ["Bo Ny: I bring the plans.", "Bo Ny: Ann pays."]
