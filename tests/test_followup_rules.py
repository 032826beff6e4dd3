"""Follow-up rules: a follow-up gets the topic of the earlier questions; a complete question is not changed."""

from functools import partial

import pytest

from index.search.fusion import reciprocal_rank
from service.followups.rules import FUSION_CONSTANT, QUERY_WEIGHTS, Rewriting, rewrite
from service.records import Turn
from service.text.terms import content_words

fused = partial(reciprocal_rank, constant=FUSION_CONSTANT, weights=QUERY_WEIGHTS)


def standalone(question: str, history: list[Turn]) -> str:
    return rewrite(question, history).text


def turns(*questions: str) -> list[Turn]:
    return [Turn(question, "An answer.") for question in questions]


def test_the_first_question_is_left_as_it_is() -> None:
    assert standalone("What about it?", []) == "What about it?"


def test_a_complete_question_is_left_as_it_is() -> None:
    question = "Which ministers signed the Lisbon treaty in December?"
    assert rewrite(question, turns("Who runs the Porto office?")) == Rewriting(question, (question,))


@pytest.mark.parametrize(
    "follow_up",
    ["When was it founded?", "What about revenue?", "Why?", "how many employees do they have"],
)
def test_a_follow_up_gets_the_name_asked_about_before(follow_up: str) -> None:
    rewritten = standalone(follow_up, turns("Where is Acme Robotics based?"))
    assert rewritten == f"{follow_up} (Acme Robotics)"


def test_a_name_of_an_older_question_is_used_when_the_last_has_none() -> None:
    rewritten = standalone("And who leads it?", turns("Where is Acme Robotics based?", "how large is the office?"))
    assert rewritten == "And who leads it? (Acme Robotics)"


def test_without_a_name_the_content_words_of_the_last_question_are_used() -> None:
    assert standalone("Why is that?", turns("which chunk size works best")) == "Why is that? (chunk, size)"


def test_a_name_that_the_follow_up_has_itself_is_not_repeated() -> None:
    rewritten = standalone("Does Acme own them?", turns("Which ships did Acme buy from Orient Lines?"))
    assert rewritten == "Does Acme own them? (Orient Lines)"


def test_a_capital_at_the_start_of_a_sentence_is_no_name() -> None:
    assert standalone("Is it safe?", turns("Which Widget factory burned?")) == "Is it safe? (Widget)"


def test_content_words_leave_out_the_words_of_every_question() -> None:
    assert content_words("What is the boiling point of water?") == ["boiling", "point", "water"]


def test_a_follow_up_is_searched_for_alone_and_with_the_words_of_the_last_question() -> None:
    history = turns("Who founded Acme?", "Which harbour does Acme use for steel?")
    assert rewrite("And who owns it?", history).queries == ("And who owns it?", "And who owns it? harbour Acme steel")
    assert rewrite("Which steel for Acme in winter?", history).queries == (
        "Which steel for Acme in winter?",
        "Which steel for Acme in winter? harbour",
    )


def test_a_short_question_with_a_name_of_its_own_is_left_unchanged() -> None:
    read = rewrite("Who commands the North's hackers?", turns("How many cyberattacks does Seoul blame on the North?"))
    assert read.text == "Who commands the North's hackers?"
    assert read.queries[1].endswith("cyberattacks Seoul blame North")
    assert rewrite("And its hackers?", turns("Which army is Norway's?")).text == "And its hackers? (Norway's)"


def test_a_question_that_only_fills_a_slot_is_searched_for_as_the_earlier_question() -> None:
    asked = "Which harbour does Acme use for steel in winter?"
    history = turns("Which harbour does Acme use for steel in spring?")
    assert rewrite("And in winter?", history) == Rewriting(asked, (asked, "And in winter?"))


def test_a_short_complete_question_keeps_its_words_after_another_topic() -> None:
    assert (
        standalone("Who runs the shipyard?", turns("Who runs the harbour office in Bergen?"))
        == "Who runs the shipyard?"
    )


def test_a_chain_of_slots_goes_back_to_the_whole_question() -> None:
    history = turns("Who keeps the lighthouse at Skagen?", "And at Hirtshals?")
    assert standalone("And at Lista?", history) == "Who keeps the lighthouse at Lista?"


def test_a_short_question_is_searched_with_the_last_one_too() -> None:
    assert rewrite("Opening hours in Porto?", turns("Where is the museum?")).queries[1].endswith("museum")
    assert rewrite("Opening hours of museums in Porto?", turns("Where is it?")).queries == (
        "Opening hours of museums in Porto?",
    )


def test_rankings_are_fused_with_half_the_weight_on_the_earlier_words() -> None:
    scores = dict(fused([["a", "b"], ["c", "b"]]))
    assert scores == pytest.approx({"a": 1 / 61, "b": 1 / 62 + 0.5 / 62, "c": 0.5 / 61})
    assert [item for item, _ in fused([["a", "b"], ["c", "b"]])] == ["b", "a", "c"]
    assert fused([[], []]) == []
