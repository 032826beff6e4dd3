"""A statement that two documents make with different figures is a conflict."""

from dataclasses import replace

from service.answering.citations import conflicts
from service.records import Citation
from service.text.terms import overlap


def citation(quote: str, document: str = "d1", number: int = 1) -> Citation:
    return Citation(number, document, "v1", document, f"file:///{document}", None, 0, len(quote), quote, "c", 1.0)


SIX = citation("Seoul counts six attacks since 2007.")
SEVEN = citation("Seoul counts seven attacks since 2007.", "d2", 2)


def test_other_figures_in_the_same_words_are_a_conflict() -> None:
    assert list(conflicts([SIX, SEVEN])) == [(SIX, SEVEN)]


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
