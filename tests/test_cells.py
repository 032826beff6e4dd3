"""Rows that contradict each other: one name, and another value under one heading."""

from service.text.cells import Cells


def row(name: str, **values: str) -> Cells:
    return Cells.of([("Article", name), *values.items()])


def test_another_value_under_the_same_heading_is_a_contradiction() -> None:
    assert row("Rope", price="4", stock="7").denies(row("rope", price="5", stock="7"))


def test_a_row_of_another_name_says_nothing_of_this_one() -> None:
    assert not row("Total sales", y2023="81").denies(row("Percentage of total sales", y2023="7"))


def test_a_value_under_another_heading_is_another_value() -> None:
    assert not row("Net income", june="66", june_before="60").denies(row("Net income", march="61", march_before="54"))


def test_rows_with_the_same_values_agree() -> None:
    assert not row("Rope", price="4").denies(row("Rope", price="4"))


def test_a_figure_is_the_same_with_the_sign_of_its_currency() -> None:
    assert not row("Rope", price="$ 4", stock="7").denies(row("Rope", price="4", stock="7"))
    assert row("Rope", price="$ 4", stock="7").denies(row("Rope", price="€ 5", stock="7"))


def test_a_change_between_other_periods_is_another_value() -> None:
    this = Cells.of([("", "Rope"), ("June 2023", "9"), ("June 2022", "8"), ("Change", "12%")])
    before = Cells.of([("", "Rope"), ("June 2022", "8"), ("June 2021", "7"), ("Change", "14%")])
    assert not this.denies(before)
    assert this.denies(Cells.of([("", "Rope"), ("June 2022", "6"), ("June 2021", "7"), ("Change", "14%")]))
