"""The shipped corpus and its golden questions: literal quotes, whole sentences, complete fields and no copied questions.

A golden question is one line of `seeds/golden.jsonl`: `id`, `question`, optional `history` (earlier turns, oldest
first), `answerable`, `answers` (alternative wordings of the right answer), `evidence` (the sentences that hold it; a
question in several parts needs several) and `tags` with the `form` of the question and its `wording`: plain, as somebody
asks who knows the topic a little, or far from the words of the briefing. The questions were written from the briefing
alone.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from index.chunking.sentences import sentence_spans

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
BRIEFING = "cyber-cooperation-briefing.md"
GOLDEN: list[dict[str, Any]] = [
    json.loads(line) for line in (SEEDS / "golden.jsonl").read_text(encoding="utf-8").splitlines()
]
ANSWERABLE = [row for row in GOLDEN if row["answerable"]]
UNANSWERABLE = [row for row in GOLDEN if not row["answerable"]]
FOLLOW_UPS = [row for row in GOLDEN if row.get("history")]

FACTS = {
    "hold back": ["The Obama administration", "South Korea", "North Korea's cyber ambitions"],
    "Lawmakers, too": ["South Korean help", "Pyongyang"],
    "foil": ["Pyongyang", "improve and reinforce", "Washington"],
    "Park Geun-hye": ["most recent White House visit", "the President of South Korea"],
    "growing fast": ["modest"],
    "in recent weeks": ["North Korean hacking", "lawmakers"],
    "A new bill": ["White House", "strategy", "hackers"],
    "Lawmakers, experts": ["administration", "Obama", "more"],
    "too low": ["White House", "threat"],
    "Not much is known": ["North Korea"],
    "Experts nevertheless": ["underrating", "unpredictable"],
    "IP addresses": ["New York city block"],
    "Falkland Islands": ["3,000", "Internet traffic"],
    "elite digital warriors": ["scarce resources"],
    "over the years": ["various kinds"],
    "severe": ["more and more"],
    "Most of": ["aimed at South Korea"],
    "since 2007": ["Seoul", "the North", "at least six"],
    "shared cybersecurity": ["Washington and Seoul", "for some time"],
    "John Kerry": ["Secretary of State", "May", "capital of South Korea"],
    "promised": ["the two countries", "new fields"],
    "space exploration": ["Kerry", "science and technology", "cyber issues"],
    "21st century": ["Kerry"],
    '"cyber coordination channel"': ["Blue House", "White House"],
    "executive office": ["The Blue House", "South Korea"],
    '"in sync"': ["Obama", "both sides", "cyber threats"],
    "long list of pledges": ["two administrations"],
    "joint military operations": ["Washington and Seoul", "cyberspace"],
    "cybersecurity research": ["Washington and Seoul", "collaborate"],
    "international norms": ["Washington and Seoul", "side by side"],
    "a news article": ["the United States and South Korea"],
    "Hebrew": ["The article"],
    "dates from": ["Park Geun-hye's visit to the White House", "President Obama"],
}
"""A phrase of the one sentence that states a fact, and the other names and numbers that this sentence must have."""


def _text(document: str) -> str:
    return (SEEDS / document).read_text(encoding="utf-8")


def _sentences(document: str) -> list[str]:
    text = _text(document)
    return [text[span.start : span.end] for span in sentence_spans(text)]


def _statements() -> list[str]:
    return [sentence for sentence in _sentences(BRIEFING) if not sentence.startswith("#")]


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9,]*[a-z0-9]", text.lower())


def _runs(text: str, length: int) -> set[tuple[str, ...]]:
    words = _words(text)
    return {tuple(words[at : at + length]) for at in range(len(words) - length + 1)}


@pytest.mark.parametrize("phrase", FACTS)
def test_each_fact_is_in_one_sentence_with_the_names_and_numbers_it_needs(phrase: str) -> None:
    candidates = [sentence for sentence in _statements() if phrase in sentence]
    complete = [sentence for sentence in candidates if all(part in sentence for part in FACTS[phrase])]
    assert len(complete) == 1, f"{phrase!r} with {FACTS[phrase]}: {candidates}"


def test_a_sentence_of_the_briefing_can_stand_alone() -> None:
    dangling = re.compile(r"(It|This(?! briefing)|That|These|Those|They|He|She|Its|Their|Such)\b")
    assert [sentence for sentence in _statements() if dangling.match(sentence)] == []


def test_each_paragraph_of_the_briefing_is_one_line_so_that_quotes_hold_no_line_breaks() -> None:
    assert [sentence for sentence in _statements() if "\n" in sentence] == []


def test_the_briefing_has_a_title_and_sections_and_names_its_source_last() -> None:
    headings = re.findall(r"^(#+) (.+)$", _text(BRIEFING), flags=re.MULTILINE)
    assert [marks for marks, _ in headings].count("#") == 1
    assert headings[0][0] == "#"
    assert headings[-1] == ("##", "Source")
    assert "http" not in _text(BRIEFING), "the article's address is not known, so none may stand here"


def test_each_kind_has_enough_questions() -> None:
    assert len([row for row in ANSWERABLE if "history" not in row]) >= 30
    assert len([row for row in UNANSWERABLE if "history" not in row]) >= 18
    assert len(FOLLOW_UPS) >= 6
    assert {row["answerable"] for row in FOLLOW_UPS} == {True, False}
    assert [row["id"] for row in ANSWERABLE if len(row["evidence"]) > 1] != []
    forms = {"who", "what", "when", "how many", "which", "why", "yes-no", "keywords", "two-part", "list", "follow-up"}
    assert forms - {row["tags"]["form"] for row in ANSWERABLE} == set()
    assert [row["id"] for row in GOLDEN if (row["tags"]["form"] == "follow-up") != ("history" in row)] == []


def test_ids_and_questions_are_unique() -> None:
    assert len({row["id"] for row in GOLDEN}) == len(GOLDEN)
    asked = [(json.dumps(row.get("history", [])), row["question"].lower()) for row in GOLDEN]
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: row["id"])
def test_a_line_has_exactly_the_fields_of_the_format(row: dict[str, Any]) -> None:
    assert set(row) - {"history"} == {"id", "question", "answerable", "answers", "evidence", "tags"}
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row["id"])
    assert row["question"].strip() == row["question"] != ""
    assert set(row["tags"]) == {"form", "wording"}
    assert row["tags"]["wording"] in {"plain", "far"}
    assert row.get("history", [None]) != []
    for turn in row.get("history", []):
        assert set(turn) == {"question", "answer"}
        assert turn["question"].strip()
        assert turn["answer"].strip()


@pytest.mark.parametrize("row", ANSWERABLE, ids=lambda row: row["id"])
def test_each_quote_is_a_whole_sentence_found_once(row: dict[str, Any]) -> None:
    assert row["answers"] != []
    assert row["evidence"] != []
    for evidence in row["evidence"]:
        assert set(evidence) == {"document", "quote"}
        assert _text(evidence["document"]).count(evidence["quote"]) == 1
        assert _sentences(evidence["document"]).count(evidence["quote"]) == 1


@pytest.mark.parametrize("row", ANSWERABLE, ids=lambda row: row["id"])
def test_the_first_answer_is_stated_by_the_evidence(row: dict[str, Any]) -> None:
    evidence = set(_words(" ".join(item["quote"] for item in row["evidence"])))
    assert set(_words(row["answers"][0])) - evidence == set()


def test_a_question_that_the_briefing_does_not_answer_has_neither_answers_nor_evidence() -> None:
    assert [row["id"] for row in UNANSWERABLE if row["answers"] or row["evidence"]] == []


def test_near_misses_name_things_that_are_in_the_briefing() -> None:
    names = set(re.findall(r"[A-Z][a-z]{3,}|[a-z]{6,}", _text(BRIEFING)))
    strangers = [
        row["id"]
        for row in UNANSWERABLE
        if "history" not in row and not any(name.lower() in row["question"].lower() for name in names)
    ]
    assert strangers == []


@pytest.mark.parametrize("row", ANSWERABLE, ids=lambda row: row["id"])
def test_a_question_does_not_copy_its_quote(row: dict[str, Any]) -> None:
    copied = set[tuple[str, ...]]()
    for evidence in row["evidence"]:
        copied |= _runs(row["question"], 5) & _runs(evidence["quote"], 5)
    assert copied == set()


def test_every_statement_is_asked_for_except_those_about_the_source() -> None:
    cited = {evidence["quote"] for row in ANSWERABLE for evidence in row["evidence"]}
    source = [sentence for sentence in _statements() if sentence.startswith(("This briefing", "The article"))]
    assert set(_statements()) - cited - set(source) == set()
