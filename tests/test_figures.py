"""Figures and dates are found with their literal ranges, and only those of one unit are compared."""

from fractions import Fraction

import pytest

from service.parts.derivation import (
    Term,
    comparison_result,
    comparison_sentence,
    count_sentence,
    language_of,
)
from service.parts.figures import Figure, can_compare, difference, figures_of, in_cell, order
from service.phrases.table import LANGUAGES
from tests.growth import assert_linear


def figure(text: str) -> Figure:
    (found,) = figures_of(text)
    return found


@pytest.mark.parametrize(
    ("text", "written", "kind", "value"),
    [
        ("The boat weighs 24.5 kg.", "24.5 kg", "mass", 24_500),
        ("It costs 1,250 euros.", "1,250 euros", "euro", 1_250),
        ("$1.2 million was paid.", "$1.2 million", "dollar", 1_200_000),
        ("Die Miete ist 1.234,50 € und nicht mehr.", "1.234,50 €", "euro", Fraction("1234.5")),
        ("Die Kosten sind 2,4 Mio. Euro und steigen.", "2,4 Mio. Euro", "euro", 2_400_000),
        ("€4m was spent", "€4m", "euro", 4_000_000),
        ("The mast is 12.5m long", "12.5m", "length", Fraction("12.5")),
        ("valid for 2 years", "2 years", "calendar", 24),
        ("A share of 12 % is kept", "12 %", "percent", 12),
        ("within 5 working days", "5 working days", "working day", 5),
        ("Three boats left.", "Three boats", "number", 3),
        ("2000 visitors came", "2000 visitors", "number", 2_000),
    ],
)
def test_a_figure_has_its_unit_and_place(text: str, written: str, kind: str, value: float) -> None:
    found = figure(text)
    assert (text[found.start : found.end], found.kind, found.low) == (written, kind, value)


@pytest.mark.parametrize(
    "text", ["10–20 kg", "10 to 20 kg", "between 3 and 5 days", "version 3.4.1", "PX-40", "no number"]
)
def test_ranges_versions_and_names_are_no_figures(text: str) -> None:
    assert figures_of(text) == []


@pytest.mark.parametrize("piece", ["2000 visitors, ", "3 May 1997, ", "12 kg, "])
def test_figures_are_found_in_linear_time(piece: str) -> None:
    assert len(figures_of(piece * 100)) == 100
    assert_linear(figures_of, lambda count: piece * count, 100)


def test_a_run_of_digits_as_long_as_a_key_is_no_figure() -> None:
    assert figures_of(f"key {'7' * 5000}") == []


def test_a_year_is_a_date_unless_it_counts_something() -> None:
    assert [f.kind for f in figures_of("Built in 1998 for 2000 visitors on 3 May 1997")] == ["date", "number", "date"]


@pytest.mark.parametrize(
    ("one", "other", "relation", "gap"),
    [
        ("3.2 kg", "7.9 kg", -1, "4.7 kg"),
        ("24 months", "3 years", -1, "12 months"),
        ("2.9 million euros", "2.4 million euros", 1, "0.5 million euros"),
        ("$1,200", "$1.5 million", -1, "$1,498,800"),
        ("120 berths", "85 berths", 1, "35 berths"),
        ("2 days", "3 days", -1, "1 day"),
        ("0.5 kg", "500 g", 0, "0 g"),
        ("in 1874", "in 1931", -1, "57 years"),
        ("2 May 2020", "12 May 2020", -1, "10 days"),
        ("in 2007", "on 1 March 2009", -1, ""),
    ],
)
def test_figures_of_one_unit_are_compared(one: str, other: str, relation: int, gap: str) -> None:
    first, second = figure(one), figure(other)
    assert can_compare(first, second)
    assert order(first, second) == relation
    assert difference(first, second) == gap


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("29 euros", "35 francs"),
        ("3 months", "6 weeks"),
        ("29 euros a month", "300 euros a year"),
        ("up to 20 kg", "at least 10 kg"),
        ("5 working days", "7 days"),
        ("40 seats", "12 tables"),
        ("12 %", "12 kg"),
        ("20 °C", "68 °F"),
    ],
)
def test_figures_of_different_units_are_not(one: str, other: str) -> None:
    assert not can_compare(figure(one), figure(other))


def test_a_date_inside_the_other_s_year_is_neither_earlier_nor_later() -> None:
    assert order(figure("in 2009"), figure("on 1 March 2009")) is None


def test_a_cell_has_the_unit_of_its_header() -> None:
    (price,) = in_cell("1.20", "Price in EUR per kg", "a")
    assert (price.kind, price.per, price.low) == ("euro", "kilogram", Fraction("1.2"))
    (revenue,) = in_cell("41.2", "Revenue (EUR million)", "a")
    assert revenue.low == 41_200_000


@pytest.mark.parametrize("cell", ["(1,200)", "-1,200", "–1,200", "-$1,200", "$ (1,200)", "$-1,200", " ($1,200) "])
def test_a_cell_in_brackets_or_with_a_minus_is_negative(cell: str) -> None:
    (found,) = in_cell(cell, "Result", "a")
    assert found.low == found.high == -1200
    assert cell[found.start : found.end] == cell.strip()
    assert (found.kind == "dollar") is ("$" in cell)


def test_a_cell_with_more_than_a_number_in_brackets_is_not_negative() -> None:
    assert [found.low for found in in_cell("1,200 (a)", "Result", "a")] == [1200]
    assert [found.low for found in in_cell("(5.2%)", "Change", "a")] == [Fraction("-5.2")]


def test_bare_numbers_are_compared_within_a_column_or_over_the_years_of_a_row() -> None:
    (leith,), (cork,), (rent,) = in_cell("54", "Staff", "a"), in_cell("31", "Staff", "b"), in_cell("31", "Rooms", "b")
    assert can_compare(leith, cork)
    assert not can_compare(leith, rent)
    (earlier,), (later,), (other_row,) = (
        in_cell("1.5", "2019", "a"),
        in_cell("1.8", "2021", "a"),
        in_cell("9", "2021", "b"),
    )
    assert can_compare(earlier, later)
    assert not can_compare(earlier, other_row)


def term(label: str, quote: str) -> Term:
    return Term(label, quote, figure(quote))


def test_the_result_and_the_sentence_of_a_comparison() -> None:
    two = [term("K2", "31 kg"), term("S1", "24.5 kg")]
    assert comparison_result(two) == "6.5 kg"
    said = comparison_sentence(two, "en")
    assert said == "Calculated by Quoth: 31 kg (K2) is more than 24.5 kg (S1); the difference is 6.5 kg."
    tie = [term("K2", "31 kg"), term("S1", "31 kg")]
    assert comparison_result(tie) == "equal"
    assert comparison_sentence(tie, "de") == "Von Quoth berechnet: 31 kg (K2) und 31 kg (S1) sind gleich."
    assert comparison_result([term("K2", "31 kg"), term("S1", "5 m")]) is None
    assert comparison_result([term("K2", "31 kg")]) is None


def test_more_than_two_are_ranked() -> None:
    terms = [term("A", "30 kg"), term("B", "10 kg"), term("C", "10 kg")]
    assert comparison_result(terms) == "B = C < A"
    assert comparison_sentence(terms, "en").endswith("from lowest to highest: 10 kg (B) = 10 kg (C); 30 kg (A).")


def test_every_language_says_all() -> None:
    terms = [term("A", "1998"), term("B", "2007")]
    for language in LANGUAGES:
        assert "Quoth" in comparison_sentence(terms, language)
        assert "4" in count_sentence(4, language)
    assert language_of("Welche Pumpe ist schwerer, die A7 oder die B9?") == "de"
    assert language_of("谁?") == "en"
