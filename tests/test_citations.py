"""Citations: numbers by first use, offsets into the document, the page of the quote; and conflicts between quotes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.blocks.block import Span
from index.chunking.chunker import chunk_document
from index.records import Chunk, Hit, Page
from service.answering.citations import Numbering, citation_page, conflicts, newer_of, with_markers
from service.answering.notes import Notes
from service.generators.protocol import Passage, Quote
from service.records import Citation
from service.scoring.reader import Reading
from service.text.terms import overlap
from tests.test_chunking import words
from tests.test_units import read as read_file

TEXT = "Café owners met. 🙂 They agreed on prices. Nobody objected."
PAGES = (Page(1, 0, 17), Page(2, 17, len(TEXT)))


def passage(start: int, end: int, document: str = "d1", text: str = TEXT) -> Passage:
    chunk = Chunk(f"c{start}", document, "v1", 0, start, end, text[start:end], ("Trade", "Prices"))
    hit = Hit(chunk, "Minutes", "file:///minutes.txt", citation_page(PAGES, start), 2.5)
    return Passage(hit, Reading(relevance=2.5, sentences=()))


def numbering(*passages: Passage) -> Numbering:
    return Numbering(passages, {("d1", "v1"): PAGES, ("d2", "v1"): ()})


def test_citation_is_literal_and_names_document_version_page_and_place() -> None:
    start = TEXT.index("They")
    citation = numbering(passage(0, len(TEXT))).cite(Quote(0, Span(start, start + 22), Span(start + 15, start + 21)))
    assert citation.quote == "They agreed on prices." == TEXT[citation.start : citation.end]
    assert (citation.number, citation.document_id, citation.version, citation.page) == (1, "d1", "v1", 2)
    assert citation.highlight is not None
    assert TEXT[slice(*citation.highlight)] == "prices"
    assert (citation.title, citation.trail, citation.score) == ("Minutes", ("Trade", "Prices"), 2.5)


@pytest.mark.parametrize(
    ("name", "text", "read", "highlighted", "context"),
    [
        ("a.md", "|Port|Boats|\n|---|---|\n|Oslo|some forty|\n", "forty", "some forty", ["Port", "Boats"]),
        ("a.md", "|Port|Boats|\n|---|---|\n|Oslo|some forty|\n", "Oslo; Boats: some", "Oslo", ["Port", "Boats"]),
        ("a.md", "|Port|Boats|\n|---|---|\n|Oslo|some forty|\n", "Boats", None, ["Port", "Boats"]),
        (
            "a.md",
            "|Port|Boats|\n|---|---|\n|Oslo|some ~~fifty~~ forty|\n",
            "forty",
            "some ~~fifty~~ forty",
            ["Port", "Boats"],
        ),
        ("a.csv", "Port,Boats\nOslo,some forty\n", "some", "some forty", ["Port", "Boats"]),
        ("a.json", '{"name": "Oslo", "boats": "some forty"}', "boats: some", "some forty", []),
        ("a.html", "<form><label>Port <input value='Old Oslo'></label></form>", "Oslo", "Old Oslo", []),
        ("a.html", "<dl><dt>Splice<dd>To weave two ropes.</dl>", "weave", "To weave two ropes.", []),
        ("a.html", "<dl><dt>Splice<dd>To weave two ropes.</dl>", "Splice", "Splice", []),
        ("a.md", "Oslo has some forty boats.", "forty", "forty", []),
        ("a.md", "We sell:\n\n- old rope;\n", "rope", "rope", ["We sell:"]),
    ],
)
def test_a_highlight_is_the_whole_cell_value_or_meaning(
    name: str, text: str, read: str, highlighted: str | None, context: list[str]
) -> None:
    document = read_file(name, text)
    (chunk,) = chunk_document(document, words)
    whole = Passage(Hit(chunk, "T", document.uri, None, 1.0), Reading(1.0, ()))
    span = whole.rendering.spans()[-1]
    start = whole.text.index(read, span.start)
    numbers = Numbering([whole], {(document.id, document.version): ()})
    cited = numbers.cite(Quote(0, span, Span(start, start + len(read))))
    assert (None if cited.highlight is None else document.text[slice(*cited.highlight)]) == highlighted
    assert [excerpt.quote for excerpt in cited.context] == context
    assert all(document.text[excerpt.start : excerpt.end] == excerpt.quote for excerpt in cited.context)


@pytest.mark.parametrize(
    ("name", "text", "kind", "values"),
    [
        ("a.md", "|Port|Boats|\n|---|---|\n|Oslo|*some* forty|\n", "row", [("Port", "Oslo"), ("Boats", "some| forty")]),
        ("a.csv", "Port,Boats\nOslo,forty\n", "record", [("Port", "Oslo"), ("Boats", "forty")]),
        ("a.html", "<dl><dt>Splice<dd>To weave two ropes.</dl>", "meaning", [("Splice", "To weave two ropes.")]),
        ("a.md", "You need:\n\n1. a **rope**\n", "item", [("", "1. a |rope")]),
    ],
)
def test_a_citation_holds_the_units_of_its_quote_with_the_names_of_their_values(
    name: str, text: str, kind: str, values: list[tuple[str, str]]
) -> None:
    document = read_file(name, text)
    [chunk] = chunk_document(document, words)
    hit = Hit(chunk, "T", "file:///t", None, 1.0)
    found = Passage(hit, Reading(1.0, ()))
    unit, start, end = found.rendering.units[-1]
    cited = Numbering([found], {(chunk.document_id, chunk.version): ()}).cite(Quote(0, Span(start, end)))
    [quoted] = cited.units
    assert (quoted.kind, quoted.start, quoted.end) == (kind, unit.start, unit.end)
    read = [
        ("|".join(document.text[slice(*span)] for span in part) for part in (value.names, value.spans))
        for value in quoted.values
    ]
    assert [tuple(pair) for pair in read] == values
    shown = {(excerpt.start, excerpt.end) for excerpt in cited.context}
    assert all(
        tuple(label) in shown or cited.start <= label[0] < cited.end for value in quoted.values for label in value.names
    )


def test_the_same_place_reached_through_two_passages_keeps_its_number() -> None:
    numbers = numbering(passage(0, len(TEXT)), passage(17, len(TEXT)))
    first = numbers.cite(Quote(0, Span(0, 16)))
    again = numbers.cite(Quote(0, Span(19, 41)))
    other = numbers.cite(Quote(1, Span(2, 24)))
    assert [first.number, again.number, other.number] == [1, 2, 2]
    assert len(numbers.citations) == 2


def test_the_same_offsets_in_two_documents_are_two_citations() -> None:
    numbers = numbering(passage(0, 16), passage(0, 16, document="d2"))
    assert [numbers.cite(Quote(place, Span(0, 16))).number for place in (0, 1)] == [1, 2]
    assert [citation.page for citation in numbers.citations] == [1, None]


@pytest.mark.parametrize(("offset", "page"), [(0, 1), (16, 1), (17, 2), (40, 2)])
def test_page_of_an_offset(offset: int, page: int) -> None:
    assert citation_page(PAGES, offset) == page


def test_document_without_pages_has_no_page_numbers() -> None:
    assert citation_page((), 3) is None


def test_markers_follow_the_sentence() -> None:
    assert with_markers("Six attacks.", (1, 2)) == "Six attacks. [1][2]"
    assert with_markers("Six attacks.", ()) == "Six attacks."


@given(text=st.text(min_size=1), data=st.data())
def test_every_citation_is_literal_for_any_text(text: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(begin + 1, len(text)))
    start = data.draw(st.integers(0, end - begin - 1))
    stop = data.draw(st.integers(start + 1, end - begin))
    citation = numbering(passage(begin, end, text=text)).cite(Quote(0, Span(start, stop)))
    assert text[citation.start : citation.end] == citation.quote


def citation(quote: str, document: str = "d1", number: int = 1) -> Citation:
    return Citation(number, document, "v1", document, f"file:///{document}", None, 0, len(quote), quote, "c", 1.0)


SIX = citation("Seoul counts six attacks since 2007.")
SEVEN = citation("Seoul counts seven attacks since 2007.", "d2", 2)


def test_other_figures_in_the_same_words_are_a_conflict() -> None:
    assert list(conflicts([SIX, SEVEN])) == [(SIX, SEVEN)]


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("How many attacks were there?", "The sources differ: [1] d1 and [2] d2 do not say the same."),
        (
            "Wie viele Angriffe waren das, und wann war der letzte?",
            "Die Quellen unterscheiden sich: [1] d1 und [2] d2 sagen nicht dasselbe.",
        ),
        ("何回の攻撃がありましたか。", "出典の内容が異なります：[1] d1 と [2] d2 は同じことを述べていません。"),
        ("Hur många attacker?", "The sources differ: [1] d1 and [2] d2 do not say the same."),
    ],
)
def test_a_conflict_is_noted_in_the_language_of_the_question(question: str, told: str) -> None:
    assert list(Notes(question).conflicts([[SIX, SEVEN], [SIX]])) == [told]


def test_one_value_at_two_times_is_a_conflict_of_which_one_is_newer() -> None:
    old = citation("In March 2019 the town agreed to buy the mill of Aske for 4.2 million euros.", "d1", 1)
    new = citation("On 3 May 2020 the town paid 3.9 million euros for the mill of Aske.", "d2", 2)
    assert list(conflicts([old, new])) == [(old, new)]
    assert (newer_of(old, new), newer_of(new, old)) == (new, new)
    assert newer_of(SIX, SEVEN) is None


def test_one_document_does_not_contradict_itself() -> None:
    assert list(conflicts([SIX, replace(SEVEN, document_id="d1")])) == []


def test_the_same_figure_in_another_notation_is_no_conflict() -> None:
    assert list(conflicts([SIX, citation("Seoul counts 6 attacks since 2007.", "d2", 2)])) == []


def test_more_detail_is_no_conflict() -> None:
    assert list(conflicts([SIX, citation("Seoul counts six attacks since 2007, two in May.", "d2", 2)])) == []


def test_figures_about_something_else_are_no_conflict() -> None:
    assert list(conflicts([SIX, citation("Oslo built nine bridges before 1950.", "d2", 2)])) == []


def test_overlap_is_the_share_of_common_words() -> None:
    assert overlap(frozenset("abc"), frozenset("bcd")) == 2 / 4
    assert overlap(frozenset(), frozenset()) == 0.0
