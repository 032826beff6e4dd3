"""The common noun that a question is about."""

import pytest

from service.text.asked_subject import asked_subject, has_subject


@pytest.mark.parametrize(
    ("question", "noun"),
    [
        ("When does the aquarium close?", "aquarium"),
        ("When does the old ferry leave the pier?", "ferry"),
        ("When does the bakery at the pier open?", "bakery"),
        ("Where is the bakery?", "bakery"),
        ("When is the bakery open?", "bakery"),
        ("When is the bakery in Aske open?", "bakery"),
        ("How long must a skipper wait before a landing?", "skipper"),
        ("What is the depth of the lock?", None),
        ("When did Alma sail?", None),
        ("How deep is it?", None),
        ("Who sails?", None),
    ],
)
def test_the_noun_that_a_question_is_about(question: str, noun: str | None) -> None:
    found = asked_subject(question)
    assert (None if found is None else found.word) == noun


def test_a_text_has_a_noun_in_any_form() -> None:
    subject = asked_subject("When do the ferries leave?")
    assert subject is not None
    assert has_subject("The ferry leaves at nine.", subject)
    assert not has_subject("The train leaves at nine.", subject)
