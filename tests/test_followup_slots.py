"""Slot follow-ups: the earlier question with the phrase of the same kind exchanged; other questions are no slot follow-ups."""

import pytest

from service.followups.slots import exchanged


@pytest.mark.parametrize(
    ("earlier", "follow_up", "read"),
    [
        ("Who keeps the archive in Bergen?", "And in Oslo?", "Who keeps the archive in Oslo?"),
        ("Who keeps the Bergen archive?", "What about Oslo?", "Who keeps the Oslo archive?"),
        ("When was the ferry to Moss built?", "And the one to Horten?", "When was the ferry to Horten built?"),
        ("How loud is the KV-12?", "How about the KV-30?", "How loud is the KV-30?"),
        ("Which Bosch part fits the KV-12?", "And the KV-30?", "Which Bosch part fits the KV-30?"),
        ("What does the fault F3 mean?", "F9?", "What does the fault F9 mean?"),
        ("When was release 2.4.1 made?", "And release 2.4.10?", "When was release 2.4.10 made?"),
        ("How much rain fell in 2020?", "And 2021?", "How much rain fell in 2021?"),
        ("How much rain fell in May 2020?", "And in June 2021?", "How much rain fell in June 2021?"),
        ("When does the sauna open on Mondays?", "And on Sundays?", "When does the sauna open on Sundays?"),
        ("What time does the sauna close on Friday?", "Saturday?", "What time does the sauna close on Saturday?"),
        ("What did Hansen write?", "And Moberg?", "What did Moberg write?"),
        ("How long is the pier of the Merlin 5?", "And the Merlin 9?", "How long is the pier of the Merlin 9?"),
        ("How many keys has the Tarn K1?", "And the Tarn L2?", "How many keys has the Tarn L2?"),
        ("How much rain fell in March 2020?", "And in May?", "How much rain fell in May 2020?"),
        ("Who leads the wool department?", "And the silk department?", "Who leads the silk department?"),
        ("Who teaches the loom?", "And the wheel?", "Who teaches the wheel?"),
        ("Who is the warden of the lock?", "And the clerk?", "Who is the clerk of the lock?"),
        ("How much does a long lesson cost?", "And a short lesson?", "How much does a short lesson cost?"),
        ("When are lambs shorn in spring?", "And kids?", "When are kids shorn in spring?"),
        ("When is the mill open?", "And the shop?", "When is the shop open?"),
        ("How heavy is the blue sledge?", "And the red one?", "How heavy is the red sledge?"),
        ("How warm is Tarn kept?", "And the light version?", "How warm is Tarn light kept?"),
        ("Was kostet die große Fähre?", "Und die Brücke?", "Was kostet die Brücke?"),
    ],
)
def test_a_phrase_takes_the_place_of_the_one_of_its_kind(earlier: str, follow_up: str, read: str) -> None:
    assert exchanged(follow_up, earlier) == read


@pytest.mark.parametrize(
    ("earlier", "follow_up", "read"),
    [
        ("How much is a sledge for adults?", "For children?", "How much is a sledge for children?"),
        ("How much does storage for boats cost?", "And for trailers?", "How much does storage for trailers cost?"),
        ("How much do you charge for day guests?", "And for members?", "How much do you charge for members?"),
    ],
)
def test_a_noun_is_exchanged_after_the_same_preposition(earlier: str, follow_up: str, read: str) -> None:
    assert exchanged(follow_up, earlier) == read


@pytest.mark.parametrize(
    ("earlier", "follow_up", "read"),
    [
        ("When does the sauna open?", "And on Sundays?", "When does the sauna open on Sundays?"),
        ("When does the sauna open?", "And Sundays?", "When does the sauna open on Sundays?"),
        ("How many sheep were shorn?", "And in 1998?", "How many sheep were shorn in 1998?"),
        ("How many sheep were shorn?", "And for wool?", "How many sheep were shorn for wool?"),
    ],
)
def test_a_date_or_a_phrase_without_counterpart_is_added(earlier: str, follow_up: str, read: str) -> None:
    assert exchanged(follow_up, earlier) == read


@pytest.mark.parametrize("correction", ["I meant the KV-30", "Sorry, I meant the KV-30.", "No, the KV-30"])
def test_a_correction_exchanges_what_was_wrong(correction: str) -> None:
    assert exchanged(correction, "How loud is the KV-12?") == "How loud is the KV-30?"


@pytest.mark.parametrize(
    ("earlier", "follow_up", "read"),
    [
        ("Wer führt das Archiv in Bergen?", "Und in Oslo?", "Wer führt das Archiv in Oslo?"),
        ("Wie laut ist die KV-12?", "Was ist mit der KV-30?", "Wie laut ist die KV-30?"),
        ("Wann öffnet die Sauna am Montag?", "Und am Sonntag?", "Wann öffnet die Sauna am Sonntag?"),
        ("Qui garde les archives à Bergen ?", "Et à Oslo ?", "Qui garde les archives à Oslo ?"),
        ("Qui garde les archives de Bergen ?", "Qu'en est-il de Moss ?", "Qui garde les archives de Moss ?"),
        ("¿Quién guarda el archivo en Bergen?", "¿Y en Oslo?", "¿Quién guarda el archivo en Oslo?"),
    ],
)
def test_german_french_and_spanish_slots(earlier: str, follow_up: str, read: str) -> None:
    assert exchanged(follow_up, earlier) == read


@pytest.mark.parametrize(
    "follow_up",
    [
        "Who keeps the library?",
        "And who pays for it?",
        "What about the rent?",
        "Why?",
        "And Bergen?",
        "And what happened in Oslo?",
        "wool",
        "",
    ],
)
def test_other_questions_are_no_slot_follow_ups(follow_up: str) -> None:
    assert exchanged(follow_up, "Who keeps the archive in Bergen?") is None
