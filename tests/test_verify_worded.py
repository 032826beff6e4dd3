"""`quoth verify` and `POST /v1/verify` of answers that a language model wrote: proved unchanged, refuted once edited."""

import copy
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

import quoth
from service.answering.answerer import Answerer
from service.answering.checking import SupportPolicy
from service.answering.citations import with_markers
from service.answering.service import Service
from service.composition.generators import make_generators
from service.records import Question
from service.schemas.answers import AnswerOut

QUESTION = "How many cyberattacks of note does Seoul hold the North responsible for since 2007?"
TRUE = "Since 2007, Seoul counts at least 6 cyberattacks by the North."
SECOND = "The pledges commit Washington and Seoul to joint cybersecurity research."
FALSE = "Bananas are grown in the Alps."

Json = dict[str, Any]


@pytest.fixture(scope="module")
def answers(service: Service, chat_desk: Any) -> Iterator[Callable[..., Json]]:
    """Real answers, written by a server on loopback and checked by the real support checker under a policy."""
    written: list[str] = []
    with chat_desk(lambda request: " ".join(f"{sentence} [1]" for sentence in written)) as desk:
        settings = service.settings.model_copy(
            update={"generator": "remote", "llm_base_url": desk.url, "llm_model": "m", "llm_context_tokens": 16_384}
        )
        found = make_generators(settings)

        def answer(*sentences: str, strict: bool = True) -> Json:
            written[:] = sentences
            policy = replace(service.answerer.policy, threshold=0.0, support=SupportPolicy(strict=strict))
            answerer = Answerer(
                service.library, service.reader, service.calibration, service.checker, found.generators, "remote",
                policy, lambda: uuid.uuid4().hex,
            )  # fmt: skip
            given = answerer.answer(Question(QUESTION))
            assert given.generator == "remote"
            return json.loads(AnswerOut.of(given).model_dump_json())  # type: ignore[no-any-return]

        yield answer


@pytest.fixture(scope="module")
def worded_answer(answers: Callable[..., Json]) -> Json:
    given = answers(TRUE, SECOND)
    assert [sentence["text"] for sentence in given["sentences"]] == [TRUE, SECOND]
    assert given["drafted"] == {"sentences": 2, "unsupported": 0}
    return given


def verify_over_http(served: str, answer: Json) -> Json:
    found: Json = httpx.post(f"{served}/v1/verify", json={"answer": answer}, timeout=120).raise_for_status().json()
    return found


def edit_answer(answer: Json, edit: Callable[[Json], None]) -> Json:
    """The answer after `edit`, with a text that matches its sentences, as a skilled forger would make it."""
    changed = copy.deepcopy(answer)
    edit(changed)
    changed["text"] = " ".join(with_markers(s["text"], s["citations"]) for s in changed["sentences"])
    return changed


def set_sentence(place: int, text: str) -> Callable[[Json], None]:
    return lambda answer: answer["sentences"][place].update(text=text)


def test_a_worded_answer_is_proved_and_each_sentence_checked_again(served: str, worded_answer: Json) -> None:
    found = verify_over_http(served, worded_answer)
    assert (found["verdict"], found["findings"]) == ("proved", [])
    assert (found["quoted"], found["checked"]) == (0, 2)
    assert found["quotes"] == len(worded_answer["citations"]) + len(worded_answer["passages"])


@pytest.mark.parametrize(
    "shape", [{"form": "row", "cells": [{"header": "", "text": "Seoul"}]}, {"form": "code", "code": "x"}]
)
def test_cells_or_code_that_do_not_say_what_the_text_says_are_refuted(
    served: str, worded_answer: Json, shape: Json
) -> None:
    found = verify_over_http(served, edit_answer(worded_answer, lambda answer: answer["sentences"][0].update(shape)))
    assert [(one["subject"], one["fault"]) for one in found["findings"]] == [("sentence 1", "text-differs")]
    right = {"form": "code", "code": TRUE.replace(" ", "\n")}
    kept = edit_answer(worded_answer, lambda answer: answer["sentences"][0].update(right))
    assert verify_over_http(served, kept)["verdict"] == "proved"


def test_a_sentence_marked_as_unsupported_is_proved_to_be(served: str, answers: Callable[..., Json]) -> None:
    given = answers(TRUE, FALSE, strict=False)
    assert [sentence["supported"] for sentence in given["sentences"]] == [True, False]
    assert given["drafted"] == {"sentences": 2, "unsupported": 1}
    assert (verify_over_http(served, given)["verdict"], verify_over_http(served, given)["checked"]) == ("proved", 2)
    posing = edit_answer(given, lambda answer: answer["sentences"][1].update(supported=True, support=0.99))
    findings = verify_over_http(served, posing)["findings"]
    assert [(one["subject"], one["fault"]) for one in findings] == [("sentence 2", "support-differs")]


def test_under_strict_an_unsupported_sentence_is_not_in_the_answer(served: str, answers: Callable[..., Json]) -> None:
    given = answers(TRUE, FALSE)
    assert given["drafted"] == {"sentences": 2, "unsupported": 1}
    assert [sentence["text"] for sentence in given["sentences"]] == [TRUE]
    assert verify_over_http(served, given)["verdict"] == "proved"


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (0, TRUE.replace("6", "7")),
        (0, TRUE.replace("6", "seven")),
        (0, TRUE.replace("6", "sixty")),
        (0, TRUE.replace("2007", "2008")),
        (0, "Washington was never hit by the North."),
        (1, SECOND.replace("commit", "do not commit")),
        (1, FALSE),
    ],
)
def test_an_edited_sentence_is_refuted(served: str, worded_answer: Json, place: int, text: str) -> None:
    found = verify_over_http(served, edit_answer(worded_answer, set_sentence(place, text)))
    assert found["verdict"] == "refuted"
    assert [(one["subject"], one["fault"]) for one in found["findings"]] == [
        (f"sentence {place + 1}", "support-differs")
    ]
    alone = copy.deepcopy(worded_answer)
    alone["sentences"][place]["text"] = text
    assert ("text", "text-differs") in [
        (one["subject"], one["fault"]) for one in verify_over_http(served, alone)["findings"]
    ]


@pytest.mark.parametrize(
    ("edit", "subject", "fault"),
    [
        (lambda one: one.update(quote=one["quote"].replace("six", "ten")), "citation 1", "quote-differs"),
        (lambda one: one.update(start=one["start"] + 1), "citation 1", "quote-differs"),
        (lambda one: one.update(end=one["end"] - 1, quote=one["quote"][:-2] + "."), "citation 1", "quote-differs"),
        (lambda one: one.update(start=10**9, end=10**9 + 5), "citation 1", "offsets-invalid"),
        (lambda one: one.update(number=3), "citations", "numbers-differ"),
        (lambda one: one.update(chunk_id="f" * 32), "citation 1", "passage-differs"),
        (lambda one: one.update(title="Another briefing"), "citation 1", "source-differs"),
    ],
)
def test_an_edited_quote_place_or_source_is_refuted(
    served: str, worded_answer: Json, edit: Callable[[Json], None], subject: str, fault: str
) -> None:
    found = verify_over_http(served, edit_answer(worded_answer, lambda answer: edit(answer["citations"][0])))
    assert found["verdict"] == "refuted"
    assert (subject, fault) in [(one["subject"], one["fault"]) for one in found["findings"]]


def test_a_true_quote_that_does_not_support_the_sentence_is_refuted(served: str, worded_answer: Json) -> None:
    """Every quote and offset is right, but the two sentences cite each other's quotes."""

    def swap(answer: Json) -> None:
        one, other = answer["sentences"]
        one["text"], other["text"] = other["text"], one["text"]

    found = verify_over_http(served, edit_answer(worded_answer, swap))
    assert {(one["subject"], one["fault"]) for one in found["findings"]} == {
        ("sentence 1", "support-differs"),
        ("sentence 2", "support-differs"),
    }


def test_a_sentence_without_its_citations_is_refuted(served: str, worded_answer: Json) -> None:
    bare = edit_answer(worded_answer, lambda answer: answer["sentences"][0].update(citations=[]))
    faults = {(one["subject"], one["fault"]) for one in verify_over_http(served, bare)["findings"]}
    assert {("sentences", "numbers-differ"), ("sentence 1", "support-differs")} <= faults


def test_the_command_proves_a_worded_answer_and_refutes_an_edited_one(
    home: Path, tmp_path: Path, worded_answer: Json, service: Service
) -> None:
    def run(answer: Json) -> Any:
        file = tmp_path / "answer.json"
        file.write_text(json.dumps(answer))
        return CliRunner().invoke(quoth.app, ["verify", str(file)], env={"QUOTH_HOME": str(home)})

    proved = run(worded_answer)
    assert (proved.exit_code, "2 verdicts on support are confirmed" in proved.stdout) == (0, True)
    refuted = run(edit_answer(worded_answer, set_sentence(0, TRUE.replace("6", "seven"))))
    assert (refuted.exit_code, refuted.stdout.splitlines()[0].startswith("✗ refuted")) == (1, True)
    assert "sentence 1" in refuted.stdout
