"""Typing errors of a question are corrected to ordinary words of the documents, and nothing else is."""

import pytest

from service.text.spelling import misspelt, respelt

ORDINARY = frozenset(
    """how much is the fee for a mooring moorings when does harbour open licence needed which documents are the accommodation
    of water boat boats from form""".split()
)
TEXT = "Moorings. The harbour gives a licence for every mooring. Accommodation is near the water. Xylocarpin is stored below."


def is_common(word: str) -> bool:
    return word in ORDINARY


@pytest.mark.parametrize(
    ("question", "read"),
    [
        ("how much is teh moorng", "how much is the mooring"),
        ("When does the habrour open?", "When does the harbour open?"),
        ("is a licnce needed", "is a licence needed"),
        ("which acomodation is open", "which accommodation is open"),
        ("is xylocarpn needed", "is xylocarpin needed"),
    ],
)
def test_a_typing_error_is_read_as_the_nearest_word(question: str, read: str) -> None:
    assert respelt(question, [TEXT], is_common) == read


@pytest.mark.parametrize(
    "question",
    [
        "When does the harbour open?",
        "Is Harbor open?",  # a name is left as it is
        "is xylocaprol stored",  # no ordinary word is near, and a substance that differs more is another
        "is a ferry needed",  # no word is near
        "habrours-fee",  # part of an identifier
    ],
)
def test_other_words_are_left_alone(question: str) -> None:
    assert respelt(question, [TEXT], is_common) == question


def test_a_word_with_two_neighbours_is_left_alone() -> None:
    assert respelt("the fomr boat", ["a form from the boat"], is_common) == "the form boat"
    assert respelt("is a licance needed", ["a licence, a licance"], is_common) == "is a licance needed"


def test_only_words_that_are_not_ordinary_are_suspected() -> None:
    assert misspelt("how much is the moorng in Vik at b4-moorng", is_common) == ["moorng"]
