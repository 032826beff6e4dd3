"""Whether a question depends on earlier turns, by its words alone."""

import pytest

from service.followups.dependence import is_dependent


@pytest.mark.parametrize(
    "question",
    [
        "Who runs the shipyard?",
        "How long are passwords?",
        "Who sells wool?",
        "Which chisel works best?",
        "Is there a sauna?",
        "Are skis allowed?",
        "How long does it take to dry wool?",
        "Is it possible to rent a sledge?",
        "Who founded Moelven and when did it open?",
        "How loud is the KV-12 when it starts?",
        "Which rules say that boats need lights?",
        "Who signed the lease and its annex?",
        "What did Julia say about her time at sea?",
        "Which keys do those who clean need?",
        "What is new this year?",
        "Wer leitet die Werft?",
        "Qui dirige le chantier ?",
    ],
)
def test_a_question_with_its_own_subject_and_verb_stands_alone(question: str) -> None:
    assert not is_dependent(question)


@pytest.mark.parametrize(
    "question",
    [
        "And who runs the shipyard?",
        "What about wool?",
        "Und wer leitet die Werft?",
        "Et qui dirige le chantier ?",
        "¿Y quién dirige el astillero?",
        "Since when?",
        "How much?",
        "Why?",
        "Warum?",
        "Since which year?",
        "Opening hours?",
        "How loud is it?",
        "Who works there?",
        "Does Moelven own them?",
        "Was his mother a sailor?",
        "How much does that one cost?",
        "Is that allowed?",
        "That makes no sense, why would anybody sell wool?",
        "What happened then?",
        "Why were these sold?",
    ],
)
def test_a_continuation_a_fragment_or_a_pronoun_depends_on_earlier_turns(question: str) -> None:
    assert is_dependent(question)
