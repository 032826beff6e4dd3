"""Questions that a language model proposes: what is kept, what is dropped and counted, and a real small model."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evaluation.cli import app
from evaluation.datasets.loading import load
from evaluation.drafting.draft import ALIKE, NOT_FOUND, draft_cases
from evaluation.drafting.question_writer import (
    MAX_QUESTIONS,
    NO_ANSWER,
    NO_QUOTE,
    NOT_THE_FORM,
    OPEN,
    REFUSED,
    UNSUPPORTED,
    ProposedQuestion,
    QuestionWriter,
    drop_reason,
)
from evaluation.errors import ModelUnavailable
from index.collection import Collection
from index.records import Document
from service.answering.service import Service
from tests.shared_networks import shared_encoder

TEXT = (
    "The Lusatian Dam was completed in 1904. Clara Winter designed the sluices of the Lusatian Dam. "
    "The Oder Commission employs about 240 engineers in four towns. Flooding follows the snow in most years."
)
GOOD = {
    "question": "Who designed the sluices of the Lusatian Dam?",
    "answer": "Clara Winter",
    "statement": "Clara Winter designed the sluices of the Lusatian Dam.",
    "quote": "Clara Winter designed the sluices of the Lusatian Dam.",
}
OTHER = {
    "question": "How many engineers does the Oder Commission employ?",
    "answer": "about 240",
    "statement": "The Oder Commission employs about 240 engineers.",
    "quote": "The Oder Commission employs about 240 engineers in four towns.",
}


def reply(*questions: dict[str, Any]) -> str:
    return json.dumps({"questions": list(questions)})


@pytest.fixture
def dam(tmp_path: Path) -> Collection:
    collection = Collection(tmp_path / "dam", shared_encoder())
    collection.add(Document("d", "v", "file:///dam.md", "The dam", "text/markdown", TEXT))
    collection.embed_pending()
    return collection


def asked(url: str, service: Service, passage: str = TEXT, max_tokens: int = 1024) -> Any:
    from service.generators.openai_client import ModelEndpoint

    questioner = QuestionWriter(ModelEndpoint(url, "writer"), service.checker, max_tokens=max_tokens)
    try:
        return questioner.ask("The dam", passage)
    finally:
        questioner.close()


def test_a_sound_question_is_kept_with_the_place_of_its_quote(chat_desk: Any, service: Service) -> None:
    with chat_desk(lambda _: reply(GOOD, OTHER)) as desk:
        found = asked(desk.url, service)
    assert found.dropped == {}
    assert [TEXT[item.start : item.end] for item in found.questions] == [GOOD["quote"], OTHER["quote"]]
    assert [item.answer for item in found.questions] == ["Clara Winter", "about 240"]
    (body,) = desk.asked
    assert TEXT in body["messages"][1]["content"]
    assert body["response_format"]["json_schema"]["schema"]["properties"]["questions"]["maxItems"] == MAX_QUESTIONS


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"quote": "Clara Winter designed the sluices of the Spree Dam."}, NO_QUOTE),
        ({"quote": "clara winter designed the sluices of the lusatian dam."}, NO_QUOTE),
        ({"answer": "Karl Sommer"}, NO_ANSWER),
        ({"question": "Who designed the sluices of the Lusatian Dam"}, OPEN),
        ({"question": "Who designed the sluices according to the passage?"}, OPEN),
        ({"question": "Who designed the sluices of it?"}, OPEN),
        ({"question": "Did Clara Winter design the sluices of the Lusatian Dam?"}, OPEN),
        ({"question": "Who was it?"}, OPEN),
        ({"question": "Who designed\x1b[2J the sluices of the dam?"}, OPEN),
        ({"question": "Who designed the sluices" + " of the dam" * 40 + "?"}, OPEN),
    ],
)
def test_what_the_words_alone_disprove_is_dropped(change: dict[str, str], reason: str) -> None:
    assert drop_reason(ProposedQuestion(**GOOD), TEXT) is None
    assert drop_reason(ProposedQuestion(**{**GOOD, **change}), TEXT) == reason


def test_an_answer_that_the_passage_does_not_support_is_dropped(chat_desk: Any, service: Service) -> None:
    invented = {**GOOD, "statement": "Clara Winter flooded four towns and fled the country in 1990."}
    with chat_desk(lambda _: reply(invented, OTHER)) as desk:
        found = asked(desk.url, service)
    assert [item.question for item in found.questions] == [OTHER["question"]]
    assert found.dropped == {UNSUPPORTED: 1}


def test_thoughts_before_a_reply_and_a_fence_around_it_are_not_part_of_it(chat_desk: Any, service: Service) -> None:
    with chat_desk(lambda _: f"The dam, then.\n</think>\n```json\n{reply(GOOD)}\n```") as desk:
        found = asked(desk.url, service)
    assert (len(found.questions), found.dropped) == (1, {})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Here are three questions!",
        "```json\n" + reply(GOOD) + "\n``` I hope this helps.",
        "<think>" + reply(GOOD),
        json.dumps([GOOD]),
        json.dumps({"questions": [GOOD], "note": "x"}),
        reply({**GOOD, "score": 1}),
        reply({key: value for key, value in GOOD.items() if key != "statement"}),
        reply({**GOOD, "answer": 1904}),
        reply({**GOOD, "answer": "  "}),
        reply(*[GOOD] * (MAX_QUESTIONS + 1)),
        '{"questions": ' + "[" * 10_000,
        reply(GOOD)[:-10],
    ],
)
def test_a_reply_in_another_form_is_dropped_whole_and_counted(text: str, chat_desk: Any, service: Service) -> None:
    with chat_desk(lambda _: text) as desk:
        found = asked(desk.url, service)
    assert (found.questions, found.dropped) == ((), {NOT_THE_FORM: 1})


def test_a_request_without_a_whole_reply_is_counted_and_one_that_is_gone_ends_the_draft(
    chat_desk: Any, service: Service
) -> None:
    with chat_desk(lambda _: 400) as desk:
        assert asked(desk.url, service).dropped == {REFUSED: 1}
    with chat_desk(lambda _: "endless " * 50_000) as desk:
        assert asked(desk.url, service).dropped == {REFUSED: 1}
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        asked(desk.url, service)


def test_a_draft_takes_what_holds_counts_the_rest_and_fills_up_from_the_text(
    dam: Collection, chat_desk: Any, service: Service
) -> None:
    from service.generators.openai_client import ModelEndpoint

    again = {**GOOD, "question": "Who designed sluices for the Lusatian Dam?"}
    elsewhere = {**OTHER, "question": "Which snow do penguins of southern Patagonia prefer in winter nights?"}
    with chat_desk(lambda _: reply(GOOD, again, elsewhere)) as desk:
        questioner = QuestionWriter(ModelEndpoint(desk.url, "writer"), service.checker)
        drafted = draft_cases(dam, 4, service.reader, unanswerable=0.25, seed=1, writer=questioner)
        questioner.close()
    assert drafted.written == 2
    assert drafted.dropped[ALIKE] == 2  # one of the model's, and one that the text carries, too
    written = [case for case in drafted.cases if case.tags["kind"] == "written"]
    assert [case.question for case in written] == [GOOD["question"], elsewhere["question"]]
    assert [case.tags["writer"] for case in written] == ["writer", "writer"]
    (evidence,) = written[0].evidence
    assert TEXT[evidence.start : evidence.end] == evidence.quote == GOOD["quote"]
    assert [case.tags["kind"] for case in drafted.cases[2:]] == ["year"]


def test_a_question_that_search_does_not_find_is_dropped(chat_desk: Any, service: Service, tmp_path: Path) -> None:
    from service.generators.openai_client import ModelEndpoint

    collection = Collection(tmp_path / "many", shared_encoder())
    for number in range(12):
        text = f"Who is asked where the boats of harbour {number} sleep? The boats of harbour {number} sleep ashore."
        collection.add(Document(f"h{number}", "v", f"file:///h{number}.md", "Harbour", "text/plain", text))
    collection.add(Document("d", "v", "file:///dam.md", "The dam", "text/plain", TEXT))
    collection.embed_pending()
    question = "Where do the boats of every harbour sleep when somebody is asked?"
    with chat_desk(lambda request: reply({**GOOD, "question": question}) if TEXT in request else reply()) as desk:
        questioner = QuestionWriter(ModelEndpoint(desk.url, "writer"), service.checker)
        drafted = draft_cases(collection, 10, service.reader, writer=questioner)
        questioner.close()
    assert (drafted.written, drafted.dropped[NOT_FOUND]) == (0, 1)


def test_the_command_asks_the_configured_model_and_says_what_it_dropped(
    dam: Collection, chat_desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dam.close()
    home = tmp_path / "home"
    (home / "collections").mkdir(parents=True)
    (tmp_path / "dam").rename(home / "collections" / "dam")
    monkeypatch.setenv("QUOTH_HOME", str(home))
    runner = CliRunner()
    common = ["draft", "--collection", "dam", "--count", "3", "--unanswerable", "0"]
    refused = runner.invoke(app, [*common, "--llm", "--out", str(tmp_path / "none.jsonl")])
    assert (refused.exit_code, "--llm needs llm_base_url and llm_model" in refused.output) == (1, True)
    with chat_desk(lambda _: reply(GOOD, {**OTHER, "answer": "about 241"})) as desk:
        monkeypatch.setenv("QUOTH_LLM_BASE_URL", desk.url)
        monkeypatch.setenv("QUOTH_LLM_MODEL", "writer")
        out = tmp_path / "cases.jsonl"
        result = runner.invoke(app, [*common, "--out", str(out)])
        assert result.exit_code == 0, result.output
        plain = runner.invoke(app, [*common, "--no-llm", "--out", str(tmp_path / "plain.jsonl")])
        assert (plain.exit_code, len(desk.asked)) == (0, 1)
    assert "1 questions are by writer" in result.output
    assert f"1 {NO_ANSWER}" in result.output
    cases = load(out, collection=True).cases
    assert cases[0].tags["kind"] == "written"
    assert len(cases) > 1


def test_a_real_small_model_is_asked_and_what_it_gets_wrong_is_dropped(llama: str, service: Service) -> None:
    found = asked(llama, service, max_tokens=96)
    assert len(found.questions) + sum(found.dropped.values()) >= 1
    assert all(item.answer in TEXT[item.start : item.end] for item in found.questions)
    assert REFUSED not in found.dropped
