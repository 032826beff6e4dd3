"""German comparisons are read as one question for each thing."""

import pytest

from service.parts.splitting import split_question


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("Was ist teurer, die Karte oder der Pass?", ["Was kostet die Karte?", "Was kostet der Pass?"]),
        (
            "Welche Brücke ist länger, die in Moss oder die in Horten?",
            ["Wie lang ist die Brücke in Moss?", "Wie lang ist die Brücke in Horten?"],
        ),
        ("Ist die Fähre schneller als der Bus?", ["Wie schnell ist die Fähre?", "Wie schnell ist der Bus?"]),
        (
            "Welches Werk hat mehr Webstühle, Moss oder Horten?",
            ["Wie viele Webstühle hat Moss?", "Wie viele Webstühle hat Horten?"],
        ),
        ("Hat Moss mehr Einwohner als Horten?", ["Wie viele Einwohner hat Moss?", "Wie viele Einwohner hat Horten?"]),
        ("Was wiegt mehr, der Anker oder die Kette?", ["Wie viel wiegt der Anker?", "Wie viel wiegt die Kette?"]),
        ("Dauert die Fahrt länger als der Flug?", ["Wie lange dauert die Fahrt?", "Wie lange dauert der Flug?"]),
        (
            "Vergleiche die Garantie der K-20 und der K-30.",
            ["Was ist die Garantie der K-20?", "Was ist die Garantie der K-30?"],
        ),
        (
            "Was ist der Unterschied zwischen dem Tagespass und dem Wochenpass?",
            ["Was ist mit dem Tagespass?", "Was ist mit dem Wochenpass?"],
        ),
    ],
)
def test_a_comparison_asks_for_each(question: str, parts: list[str]) -> None:
    [group] = split_question(question).groups
    assert [part.text for part in group.parts] == parts


@pytest.mark.parametrize(
    "question",
    [
        "Dauert die Fahrt länger als vier Stunden?",
        "Ist die Fähre schneller als erwartet?",
        "Wann fährt die Fähre oder der Bus?",
        "Was ist der Unterschied?",
        "Ist die Karte teurer als die Karte?",
    ],
)
def test_other_questions_are_left_alone(question: str) -> None:
    assert split_question(question).is_whole
