"""Small talk gets a fixed reply that cites nothing and is no refusal; a question with a greeting is a question."""

import json
from dataclasses import replace

import pytest

from service.answer_json import answer_of
from service.answering.answerer import AnswerReady, PassagesFound
from service.answering.service import Service
from service.answering.talk import talk_answer
from service.audit.findings import AnswerFault
from service.audit.verification import Verdict, verify
from service.cli.rendering import answer_lines
from service.records import Question, Turn
from service.schemas.answers import AnswerOut
from service.slack.render.messages import Viewer, closing_blocks
from service.slack.render.phrases import LANGUAGES
from service.text.plain import with_sources
from service.text.small_talk import is_reply, small_talk


@pytest.mark.parametrize(
    ("message", "begins"),
    [
        ("Hello!", "Hello."),
        ("hi Quoth", "Hello."),
        ("Good morning, how are you?", "Hello."),
        ("Thanks a lot 👍", "You are welcome."),
        ("Great, thanks", "You are welcome."),
        ("Bye!", "Goodbye."),
        ("Who are you?", "I am Quoth."),
        ("help", "I am Quoth."),
        ("yes", "Ask a question"),
        ("What did I just ask?", "Ask a question"),
        ("Guten Morgen!", "Guten Tag."),
        ("Vielen Dank", "Gern geschehen."),
        ("Qui êtes-vous ?", "Je suis Quoth."),
        ("¿Qué puedes hacer?", "Soy Quoth."),
        ("Ciao", "Buongiorno."),
        ("Obrigada!", "De nada."),
        ("Dank je wel", "Graag gedaan."),
        ("Спасибо", "Пожалуйста."),
        ("你好！", "你好。"),
        ("ありがとう。", "どういたしまして。"),
        ("من أنت؟", "أنا Quoth."),
    ],
)
def test_small_talk_gets_a_reply_in_its_language(message: str, begins: str) -> None:
    reply = small_talk(message)
    assert reply is not None
    assert reply.startswith(begins)
    assert is_reply(reply)


@pytest.mark.parametrize(
    "message",
    [
        "Hello, when does the sauna open?",
        "Thanks. And on Sundays?",
        "Who are you hiring?",
        "help desk number",
        "What can you do about moths?",
        "hello world program",
        "wool",
        "???",
        "",
    ],
)
def test_a_question_with_a_greeting_is_a_question(message: str) -> None:
    assert small_talk(message) is None


def test_a_bare_why_is_a_follow_up_unless_nothing_was_asked() -> None:
    assert small_talk("Why?") is None
    assert small_talk("Why?", is_first=True) == small_talk("yes")


def test_the_answer_refuses_nothing_and_reads_nothing(service: Service) -> None:
    events = list(service.answerer.stream(Question("Thank you!")))
    assert events[0] == PassagesFound(())
    (ready,) = [event for event in events if isinstance(event, AnswerReady)]
    answer = ready.answer
    assert (answer.kind, answer.refused, answer.text) == ("talk", False, "You are welcome.")
    assert (answer.sentences, answer.citations, answer.passages) == ((), (), ())


def test_thanks_between_two_questions_are_no_topic(service: Service) -> None:
    history = (Turn("Who keeps the archive in Bergen?", "Ola. [1]"), Turn("thanks", "You are welcome."))
    answer = service.answerer.answer(Question("And in Oslo?", history=history))
    assert answer.rewritten_question == "Who keeps the archive in Oslo?"


def test_it_comes_through_json_and_verifies_and_a_changed_one_does_not() -> None:
    answer = talk_answer(Question("Hello"), small_talk("Hello") or "", lambda: "a1")
    again = answer_of(json.loads(AnswerOut.of(answer).model_dump_json()))
    assert again == answer

    def verdict(text: str, *, refused: bool = False) -> tuple[Verdict, list[object]]:
        found = verify(replace(again, text=text, refused=refused), lambda *_: None, lambda _: (), min_support=0.5)
        return found.verdict, [finding.fault for finding in found.findings]

    assert verdict(answer.text) == (Verdict.PROVED, [])
    assert verdict("The depot is in Moss.") == (Verdict.REFUTED, [AnswerFault.TEXT_DIFFERS])
    assert verdict(answer.text, refused=True) == (Verdict.REFUTED, [AnswerFault.TEXT_DIFFERS])


def test_the_doors_show_the_reply_alone() -> None:
    answer = talk_answer(Question("Hello"), small_talk("Hello") or "", lambda: "a1")
    assert with_sources(answer) == answer.text
    lines = [line.text.plain for line in answer_lines(answer, plain=True)]
    assert answer.text in lines
    assert not any("confidence" in line for line in lines)
    (shown,) = closing_blocks(answer, Viewer(None, "default"), LANGUAGES["en"], private=False)
    assert answer.text in json.dumps(shown)
