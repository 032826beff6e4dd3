"""Drafted questions: what texts carry, that they read well, that their gold is all of it, and what is not asked."""

import json
import random
from collections.abc import Iterator
from pathlib import Path, PurePath

import pytest
from typer.testing import CliRunner

from evaluation.cases import Case
from evaluation.cli import app
from evaluation.datasets.golden import write_cases
from evaluation.datasets.loading import load
from evaluation.document_matching import DocumentMatcher, portable_names
from evaluation.drafting.draft import DraftedCases, draft_cases
from evaluation.drafting.goals import goal_question
from evaluation.drafting.names import Names
from evaluation.drafting.near_misses import HAS_WORDS, IS_READ
from evaluation.drafting.outline import are_of_a_kind, is_term, list_question
from evaluation.drafting.periods import Header, header_of
from evaluation.drafting.proposal import DraftDocument
from evaluation.drafting.sentences import carried
from evaluation.drafting.tables import table_proposals
from evaluation.drafting.variants import as_keywords, keeps_what_matters, with_typos
from evaluation.drafting.wording import content_words
from evaluation.errors import DataInvalid, RunInvalid, TaskUnfit
from evaluation.harvest import harvest_cases
from index.collection import Collection
from index.formats.limits import Limits
from index.formats.parse import parse_document
from index.formats.registry import format_of
from index.records import Document
from index.sync.sync import sync
from service.answering.service import Service
from service.scoring.reader import Reader
from tests.shared_networks import shared_encoder

RIVERS = """# Rivers of the Oder basin

## Table of Contents

- Water years
- How are the sluices opened?
- Offices

## Water years

Flooding follows the snow in most years. The Lusatian Dam was completed in 1904. The Neisse Bridge was built in 1936.
Villages keep boats ready. Here offers a good view. It was closed in 1990.

The Oder is a river that rises in the eastern hills of the basin. The Oder Commission employs 240 engineers in four towns.
A lock gate is a door that holds the water of a chamber. The Oder Commission provides boats and lamps for the night watch.

## How are the sluices opened?

Two keepers turn the crank of each sluice together. The water must stand below the red mark.

## Offices

To report a broken sluice, call the office of the Oder Commission. To open the lower gate by hand, run these steps:

1. Close the upper gate.
2. Turn the brass wheel to the left.
3. Wait until the chamber is empty.

There are three types of river locks: single locks, double locks and lifts.

| Town | Number of engineers | Remarks | Inspected |
| --- | --- | --- | --- |
| Guben | 70 | the oldest office | every second spring |
| Forst | 50 | near the weir | every autumn |

| Costs | 2020 | 2021 |
| --- | --- | --- |
| Total repair costs | 310 | 450 |
| Boat sales | 20 | 25 |
"""
SCHEDULE = "name: Night ferry\nberth: Pier 4\nprice_per_seat: 12 euros\n"
PREFIXES = "nightlight:\n    a lamp that burns on the pier\n"


@pytest.fixture(scope="module")
def rivers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    folder = tmp_path_factory.mktemp("rivers") / "library"
    (folder / "basin").mkdir(parents=True)
    (folder / "basin" / "rivers.md").write_text(RIVERS, encoding="utf-8")
    (folder / "ferry.yaml").write_text(SCHEDULE, encoding="utf-8")
    collection = Collection(folder.parent / "collection", shared_encoder())
    assert not sync(collection, [folder]).rejected
    collection.embed_pending()
    yield collection
    collection.close()


@pytest.fixture(scope="module")
def reader(service: Service) -> Reader:
    return service.reader


@pytest.fixture(scope="module")
def drafted(rivers: Collection, reader: Reader) -> DraftedCases:
    return draft_cases(rivers, 60, reader, unanswerable=0.2, seed=1)


@pytest.fixture(scope="module")
def names(reader: Reader) -> Names:
    return Names(
        [RIVERS, "At first the tool APT and Debian help. The dam of Guben and the Spree Commission."], reader.is_common
    )


def only(sentence: str, names: Names) -> tuple[str, str]:
    ((_, question, answer, _, _),) = carried(sentence, names)
    return question, answer


def case(drafted: DraftedCases, question: str) -> Case:
    found = {case.question: case for case in drafted.cases}
    assert question in found, sorted(found)
    return found[question]


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        ("The Oder is a river that rises in hills.", "What is the Oder?", "a river that rises in hills"),
        ("debconf is a tool that asks questions.", "What is debconf?", "a tool that asks questions"),
        ("APT (the package tool) is a program of Debian.", "What is APT?", "a program of Debian"),
        ("A lock gate is a door that holds the water.", "What is a lock gate?", "a door that holds the water"),
        ("The Lusatian Dam was completed in 1904.", "When was the Lusatian Dam completed?", "1904"),
        (
            "The Oder Commission employs about 240 engineers in four towns.",
            "How many engineers does the Oder Commission employ in four towns?",
            "about 240",
        ),
        (
            "The Oder Commission provides boats and lamps for the watch.",
            "What does the Oder Commission provide?",
            "boats and lamps for the watch",
        ),
    ],
)
def test_a_sentence_gives_the_question_it_carries(sentence: str, question: str, answer: str, names: Names) -> None:
    assert only(sentence, names) == (question, answer)


@pytest.mark.parametrize(
    "sentence",
    [
        "It was completed in 1904.",
        "This is a river that rises in the hills.",
        "In 1825 the engineers built the first bridge of the valley.",
        "The reason is a lack of money for repairs.",
        "Here offers a good view of the whole valley.",
        "A faster alternative is a boat that is built of aluminium.",
        "A nice feature is the lamp that burns all night.",
        "The dists directories are still used contains packages for both.",
        "The Oder provides both of them with water all year.",
        "The Company is a carrier that owns forty boats.",
    ],
)
def test_what_leans_on_its_context_or_reads_badly_gives_none(sentence: str, names: Names) -> None:
    assert list(carried(sentence, names)) == []


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("To report a broken sluice, call the office.", "How do I report a broken sluice?"),
        ("If you want to move your boat at night, you must show a lamp.", "How do I move my boat at night?"),
        ("To open it, turn the wheel.", None),
        ("To learn more about the history of the dam, see the annex.", None),
        ("To open the gate, the water must be low.", None),
        ("If you need to open the gate in winter, you should be careful with the ice.", None),
    ],
)
def test_a_goal_is_asked_about_only_if_it_stands_alone_and_the_way_follows(sentence: str, question: str | None) -> None:
    assert goal_question(sentence) == question


def test_lists_and_terms_are_asked_about_only_by_what_names_them(names: Names) -> None:
    assert list_question("There are three types of river locks:", names) == "Which types of river locks are there?"
    assert list_question("The duties of a keeper are as follows:", names) == "What are the duties of a keeper?"
    assert list_question("There are a few points to think about:", names) is None
    assert list_question("These are:", names) is None
    assert is_term("lock gate")
    assert not is_term("You probably can")
    assert are_of_a_kind("preinst", "postinst")
    assert not are_of_a_kind("pkgsel", "os-prober")


@pytest.mark.parametrize(
    ("labels", "corner", "header"),
    [
        (["Three Months Ended June 25, 2022"], "", Header("in the three months ended June 25, 2022", "")),
        (["2022"], "Three Months Ended September 30,", Header("in the three months ended September 30, 2022", "")),
        (["June 25, 2022", "Fair Value"], "", Header("as of June 25, 2022", "Fair Value")),
        (["2021"], "Costs", Header("in 2021", "")),
        (["Price"], "Plan", Header("", "Price")),
        (["June 25, 2022", "June 26, 2021"], "", None),
    ],
)
def test_a_header_is_a_period_and_a_measure(labels: list[str], corner: str, header: Header | None) -> None:
    assert header_of(labels, corner) == header


def test_every_kind_of_structure_carries_questions(drafted: DraftedCases) -> None:
    assert case(drafted, "How are the sluices opened?").tags["kind"] == "question heading"
    (ferry,) = [case for case in drafted.cases if case.tags["kind"] == "field"]
    assert (ferry.question, ferry.answers) in [
        ("What is the price per seat of Night ferry?", ("12 euros",)),
        ("What is the berth of Night ferry?", ("Pier 4",)),
    ]
    steps = case(drafted, "How do I open the lower gate by hand?")
    assert "brass wheel" in " ".join(evidence.quote for evidence in steps.evidence)


def test_tables_carry_cells_changes_and_two_rows_at_once() -> None:
    name = PurePath("rivers.md")
    read = parse_document(RIVERS.encode(), name, "file:///rivers.md", Limits(), format_of(name))
    document, no_names = DraftDocument(read), Names([], lambda _: True)
    asked = {proposal.question: proposal for proposal in table_proposals(document, no_names, frozenset())}
    assert asked["What is the number of engineers of the town Forst?"].answer == "50"
    assert asked["What were boat sales in 2020?"].answer == "20"
    (span,) = asked["How did boat sales change between 2020 and 2021?"].groups[0]
    assert document.words(span) == "| Boat sales | 20 | 25 |"
    (both,) = asked["What were total repair costs and boat sales in 2021?"].groups
    assert [document.words(span)[:8] for span in both] == ["| Total ", "| Boat s"]
    assert not any(word in question.casefold() for question in asked for word in ("remarks", "inspected"))


def test_contents_pages_and_openers_are_never_asked_about(drafted: DraftedCases) -> None:
    questions = " ".join(case.question for case in drafted.cases)
    assert "Here" not in questions
    assert "said about" not in questions
    contents = RIVERS.index("## Water years")
    for drafted_case in drafted.cases:
        for evidence in drafted_case.evidence:
            assert not (evidence.document.endswith("rivers.md") and (evidence.start or 0) < contents)


def test_gold_is_literal_and_named_so_that_it_fits_on_another_machine(
    drafted: DraftedCases, rivers: Collection
) -> None:
    texts = {"basin/rivers.md": RIVERS, "ferry.yaml": SCHEDULE}
    assert sum(case.answerable is True for case in drafted.cases) >= 10
    for drafted_case in drafted.cases:
        for evidence in drafted_case.evidence:
            assert texts[evidence.document][evidence.start : evidence.end] == evidence.quote
    for summary in rivers.documents.list():
        assert DocumentMatcher(texts).match(summary.id, f"file:///elsewhere/{summary.uri.split('library/')[1]}")


def test_portable_names_are_paths_below_the_folder_of_all() -> None:
    names = portable_names(["file:///home/me/a/x%20y.md", "file:///home/me/a/b/z.pdf", "https://example.org/q.html"])
    assert list(names.values()) == ["x y.md", "b/z.pdf", "https://example.org/q.html"]
    assert portable_names(["file:///home/me/only.md"]) == {"file:///home/me/only.md": "only.md"}


def add(collection: Collection, id: str, text: str) -> None:
    collection.add(Document(id, "v", f"file:///{id}.txt", id, "text/plain", text))


def test_a_near_miss_that_any_text_answers_is_left_out(tmp_path: Path, reader: Reader) -> None:
    """The text that answers it carries no question itself, so looking among the proposals would not find it."""
    collection = Collection(tmp_path / "bridges", shared_encoder())
    bridges = "The Neisse Bridge was built in 1936. The Spree Tower was opened in 1950. "
    add(collection, "a", bridges + "People say that the Neisse Bridge has opened again after repairs.")
    collection.embed_pending()
    drafted = draft_cases(collection, 10, reader, unanswerable=0.5)
    assert [case for case in drafted.cases if case.answerable is False] == []
    assert (drafted.dropped[HAS_WORDS], drafted.dropped[IS_READ]) == (1, 1)  # the tower: opened is as good as built


def test_a_question_with_two_different_answers_is_left_out_and_one_said_twice_has_both_places(
    tmp_path: Path, reader: Reader
) -> None:
    collection = Collection(tmp_path / "twice", shared_encoder())
    add(collection, "a", "The Neisse Bridge was built in 1936. The Spree Tower was opened in 1950.")
    add(collection, "b", "The Neisse Bridge was built in 1938. The Spree Tower was opened in 1950.")
    collection.embed_pending()
    drafted = draft_cases(collection, 10, reader, unanswerable=0)
    (tower,) = drafted.cases
    assert tower.question == "When was the Spree Tower opened?"
    assert [(evidence.document, evidence.group) for evidence in tower.evidence] == [("a.txt", 0), ("b.txt", 1)]
    assert drafted.dropped["questions that another place answers in another way"] == 1


def test_a_draft_that_is_short_says_how_many_and_why(rivers: Collection, reader: Reader) -> None:
    drafted = draft_cases(rivers, 400, reader, unanswerable=0.5)
    assert len(drafted.cases) + sum(number for reason, number in drafted.dropped.items() if "fewer" in reason) == 400


def test_the_same_seed_drafts_the_same_cases(rivers: Collection, reader: Reader) -> None:
    assert draft_cases(rivers, 6, reader, seed=3) == draft_cases(rivers, 6, reader, seed=3)


def test_a_collection_without_prose_says_so(tmp_path: Path, reader: Reader) -> None:
    collection = Collection(tmp_path / "numbers", shared_encoder())
    collection.add(Document("d", "v", "file:///n.txt", "N", "text/plain", "1 2 3\n4 5 6\n"))
    with pytest.raises(TaskUnfit, match="no text carries a question"):
        draft_cases(collection, 5, reader)


def test_a_written_case_file_reads_back_and_is_not_overwritten(drafted: DraftedCases, tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    cases = drafted.cases
    write_cases(file, cases)
    read = load(file, collection=True).cases
    assert [(case.id, case.question, case.answers, case.evidence, case.answerable) for case in read] == [
        (case.id, case.question, case.answers, case.evidence, case.answerable) for case in cases
    ]
    with pytest.raises(RunInvalid, match="may hold reviewed cases"):
        write_cases(file, [Case("1", "q")])


def test_typing_errors_leave_names_and_figures_and_change_one_or_two_words() -> None:
    question = "When was the bridge over the NEISSE-2 of Guben repaired in 1936?"
    for seed in range(30):
        typed = with_typos(question, random.Random(seed))
        assert typed is not None
        changed = [(old, new) for old, new in zip(question.split(), typed.split(), strict=True) if old != new]
        assert 1 <= len(changed) <= 2
        assert not {old for old, _ in changed} & {"NEISSE-2", "Guben", "1936?", "When"}
    assert with_typos("Why is it so?", random.Random(0)) is None


def test_keywords_are_the_words_that_say_something_in_order() -> None:
    assert as_keywords("What were Apple’s net sales in the three months ended June 25, 2022?") == (
        "Apple’s net sales three months ended June 25 2022"
    )
    assert as_keywords("lock gate") is None


def test_a_rewording_keeps_figures_names_and_the_question() -> None:
    asked = "How many locks did the ODER have in 1904?"
    assert keeps_what_matters(asked, "Wie viele Schleusen hatte die ODER 1904?")
    assert not keeps_what_matters(asked, "Wie viele Schleusen hatte die ODER?")
    assert not keeps_what_matters(asked, "Die ODER hatte 1904 Schleusen.")
    assert not keeps_what_matters(asked, asked)


def test_the_command_varies_a_set_and_counts_what_it_leaves_out(
    tmp_path: Path, chat_desk: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = tmp_path / "cases.jsonl", tmp_path / "varied.jsonl"
    asked = [Case("1", "When was the Spree Tower opened?", answers=("1950",)), Case("2", "Why is it so?")]
    write_cases(file, asked)
    reworded = ["In which year did the Spree Tower open?", "Wann wurde der Spree Tower geöffnet?"]
    replies = iter([*reworded, "Kannst du mir sagen, warum das so ist?", "kein Fragesatz"])
    with chat_desk(lambda _: json.dumps({"question": next(replies)})) as desk:  # type: ignore[operator]
        monkeypatch.setenv("QUOTH_LLM_BASE_URL", desk.url)
        monkeypatch.setenv("QUOTH_LLM_MODEL", "writer")
        options = ["--out", str(out), "--typos", "--keywords", "--paraphrase", "--language", "de"]
        ran = CliRunner().invoke(app, ["vary", str(file), *options])
    assert ran.exit_code == 0, ran.output
    made = load(out, collection=True).cases
    manners = {case.tags["variant"] for case in made if case.tags["variant_of"] == "1"}
    assert manners == {"typos", "keywords", "paraphrase", "de"}
    assert [case.question for case in made if case.tags["variant"] in ("paraphrase", "de")] == reworded
    assert all(case.answers == ("1950",) for case in made)
    assert "1 rewordings that are no question" in ran.output
    assert "1 rewordings in another language" in ran.output


def test_content_words_are_stems_without_words_that_say_nothing() -> None:
    assert content_words("What does Debconf provide?") == content_words("debconf provided")


def feedback(folder: Path, *records: dict[str, object]) -> Path:
    file = folder / "feedback.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return file


def vote(id: str, verdict: str, question: str = "When?", **answer: object) -> dict[str, object]:
    given = {
        "text": "In 1904.",
        "refused": False,
        "citations": [{"uri": "file:///rivers.md", "quote": "In 1904."}],
        **answer,
    }
    return {"answer_id": id, "verdict": verdict, "question": question, "answer": given}


def test_a_thumbs_up_keeps_the_quotes_and_a_thumbs_down_asks_for_them(tmp_path: Path) -> None:
    down = vote("b", "down", "Who?") | {"comment": "It was Winter."}
    up, other, refused = harvest_cases(
        feedback(tmp_path, vote("a", "up"), down, vote("c", "down", "Why?", refused=True))
    )
    assert (up.answerable, [evidence.quote for evidence in up.evidence]) == (True, ["In 1904."])
    assert (other.answerable, other.evidence, other.tags["comment"]) == (None, (), "It was Winter.")
    assert "it was refused" in refused.tags["review"]


def test_the_later_verdict_on_the_same_question_counts(tmp_path: Path) -> None:
    (case,) = harvest_cases(feedback(tmp_path, vote("a", "up", "When is it?"), vote("b", "down", "when  is IT?")))
    assert case.tags["verdict"] == "down"


def test_faults_in_feedback_name_the_line(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="line 2: verdict 'meh'"):
        harvest_cases(feedback(tmp_path, vote("a", "up"), vote("b", "meh")))
    with pytest.raises(DataInvalid, match="no 'answer' object"):
        harvest_cases(feedback(tmp_path, {"answer_id": "a", "verdict": "up", "question": "q"}))
