"""Figures are equal in digits and in words, alone and with a scale; number words that may be pronouns do not count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.terms import figures, stated_figures, words


def test_figures_are_read_without_separators_and_from_words() -> None:
    assert figures("Twelve of 3,000 at 4.5 percent, 82,959") == {"12", "3000", "4.5", "82959"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("twenty-five", {"25"}),
        ("Ninety nine luftballons", {"99"}),
        ("six hundred and two", {"600", "2"}),
        ("six hundred two", {"602"}),
        ("three thousand", {"3000"}),
        ("twenty-five thousand six hundred", {"25600"}),
        ("a hundred and a million", {"100", "1000000"}),
        ("3 million and 4.5 billion", {"3000000", "4500000000"}),
        ("five six", {"5", "6"}),
        ("twenty twenty", {"20"}),
        ("in 2007 six were hit", {"2007", "6"}),
        ("10.5.2007", {"10.5.2007"}),
        ("0.25 million", {"250000"}),
        ("someone tense, hundreds of ships", set()),
    ],
)
def test_a_number_of_several_words_is_one_figure(text: str, found: set[str]) -> None:
    assert figures(text) == found


def test_counts_are_figures_and_pronouns_are_not() -> None:
    assert stated_figures("One of the two said that no one had 1 of seven") == {"2", "1", "7"}


def test_words_are_the_text_without_figures() -> None:
    assert words("Twelve of 3,000 Ships") == {"of", "ships"}


@given(st.integers(1, 9), st.sampled_from(["thousand", "million", "billion"]))
def test_a_scale_in_words_equals_the_one_in_digits(number: int, scale: str) -> None:
    zeros = {"thousand": 3, "million": 6, "billion": 9}[scale]
    assert figures(f"{number} {scale}") == figures(f"{number}{',000' * (zeros // 3)}") == {f"{number}{'0' * zeros}"}


@given(st.text(max_size=80))
def test_any_text_states_only_figures_that_it_has(text: str) -> None:
    assert stated_figures(text) <= figures(text)
