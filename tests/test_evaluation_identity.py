"""A run knows what it measured: it resumes on nothing else, and a comparison says what differs. Options are never dropped."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evaluation import manifest
from evaluation.cli import app
from evaluation.comparison import compare, markdown
from evaluation.errors import DataInvalid, RunInvalid, TaskUnfit
from evaluation.execution import RunPlan, execute
from evaluation.report import run_report
from evaluation.rows import ROWS, Row, read_rows
from evaluation.targets import RemoteTarget
from index.embedding.encoder import HashedEncoder
from index.errors import CollectionMissing
from index.library import Library
from index.records import Document
from service.composition.library import open_library
from service.settings import Settings
from tests.scripted_answerer import ScriptedAnswerer
from tests.test_evaluation_report import write_run

RIVERS = "The Oder floods every March. Its dams were built in 1904."
BRIDGES = "The bridge at Lenz opened in 1932. It is 240 metres long."


def watch(name: str, total: int | None = None) -> Any:
    return lambda *_: None


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two collections that hold other documents under the same name."""
    folder = tmp_path_factory.mktemp("home")
    library = open_library(Settings(home=folder))
    for name, text in (("rivers", RIVERS), ("bridges", BRIDGES)):
        collection = library.open_or_create(name)
        collection.add(Document("d", name, "file:///notes.md", "Notes", "text/markdown", text))
        collection.embed_pending()
    library.close()
    return folder


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    file = tmp_path / "asked.jsonl"
    lines = [{"id": str(n), "question": f"When does it flood in {n}?", "relevant": {"notes.md": 1}} for n in range(4)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def plan(asked: Path, home: Path, collection: str, **more: Any) -> RunPlan:
    return RunPlan(
        asked, collection=collection, task="retrieve", retriever="bm25", settings={"home": str(home)}, **more
    )


def test_a_run_is_not_resumed_on_another_collection_and_the_error_names_both(
    asked: Path, home: Path, tmp_path: Path
) -> None:
    folder = execute(plan(asked, home, "rivers"), tmp_path / "run", tmp_path / "i", watch)
    rows = (folder / ROWS).read_bytes().splitlines(keepends=True)
    (folder / ROWS).write_bytes(b"".join(rows[:2]))  # as a kill leaves it
    with pytest.raises(
        RunInvalid, match=r"target\.collection\.name \(rivers and bridges\), target\.collection\.sha256"
    ):
        execute(plan(asked, home, "bridges"), folder, tmp_path / "i", watch)
    execute(plan(asked, home, "rivers"), folder, tmp_path / "i", watch)
    assert (folder / ROWS).read_bytes() == b"".join(rows)


def test_the_manifest_names_collection_documents_encoder_models_prompts_and_code(
    asked: Path, home: Path, tmp_path: Path
) -> None:
    about = manifest.read(execute(plan(asked, home, "rivers"), tmp_path / "run", tmp_path / "i", watch))["identity"]
    held = about["target"]["collection"]
    assert (held["name"], held["documents"], held["pending_vectors"]) == ("rivers", 1, 0)
    assert len(held["sha256"]) == len(about["code_sha256"]) == len(about["prompts_sha256"]) == 64
    assert about["target"]["encoder"]
    assert {"reader", "support", "calibration"} <= set(about["models"])


def test_the_hash_of_a_collection_depends_on_its_documents_alone() -> None:
    held = [("Notes", "v1"), ("Plan", "v2")]
    first = manifest.collection_identity("a", held, 0)
    assert first["sha256"] == manifest.collection_identity("b", reversed(held), 3)["sha256"]
    assert first["sha256"] != manifest.collection_identity("a", [("Notes", "v1"), ("Plan", "v3")], 0)["sha256"]
    assert first["sha256"] != manifest.collection_identity("a", held[:1], 0)["sha256"]


def test_changed_code_is_not_resumed(tmp_path: Path) -> None:
    manifest.begin(tmp_path, {"task": "answer", "code_sha256": "a"})
    manifest.begin(tmp_path, {"task": "answer", "code_sha256": "a"})
    with pytest.raises(RunInvalid, match=r"code_sha256 \(a and b\)"):
        manifest.begin(tmp_path, {"task": "answer", "code_sha256": "b"})


def test_a_comparison_shows_what_differs_between_the_runs(tmp_path: Path) -> None:
    before, after = write_run(tmp_path / "a", [1.0]), write_run(tmp_path / "b", [1.0])
    about = json.loads((after / manifest.FILE).read_text(encoding="utf-8"))
    about["identity"]["target"] = {"settings": {"target_precision": 0.8}}
    (after / manifest.FILE).write_text(json.dumps(about), encoding="utf-8")
    assert "| target.settings.target_precision |  | 0.8 |" in markdown(compare(before, after))
    assert "measured the same" in markdown(compare(before, before))


def test_fewer_answers_are_neither_better_nor_worse(tmp_path: Path) -> None:
    """Refusing more of what the documents do not say raises `correct` and lowers `answered`: an improvement, exit code 0."""
    folders = []
    for name, refused in (("before", 0), ("after", 12)):
        folder = write_run(tmp_path / name, [0.0] * 20)
        rows = [
            Row(
                str(n),
                "q",
                {"answerable": False},
                {},
                {},
                {"correct": float(n < refused), "answered": float(n >= refused)},
            )
            for n in range(20)
        ]
        (folder / ROWS).write_bytes(b"".join(row.line() for row in rows))
        folders.append(folder)
    found = compare(*folders)
    assert {change.metric: change.verdict for change in found.changes} == {"correct": "better", "answered": "differs"}
    result = CliRunner().invoke(app, ["compare", *map(str, folders)])
    assert result.exit_code == 0, result.output


def suite_of(asked: Path, text: str = "") -> Path:
    file = asked.parent / "suite.toml"
    file.write_text(f'[[run]]\nname = "r"\ndataset = "{asked.name}"\ntask = "answer"\n{text}', encoding="utf-8")
    return file


def test_a_suite_asks_the_server_that_the_command_line_names(asked: Path, tmp_path: Path) -> None:
    nobody = ["--endpoint", "http://127.0.0.1:9", "--out", str(tmp_path / "o")]
    result = CliRunner().invoke(app, ["run", str(suite_of(asked)), *nobody])
    assert result.exit_code == 1
    assert "Is `quoth serve` running there" in result.output


@pytest.mark.parametrize(
    "option", [("--task", "answer"), ("--format", "quoth"), ("--corpus", "."), ("--only", "x"), ("--retriever", "bm25")]
)
def test_options_of_one_data_set_are_refused_with_a_suite(asked: Path, tmp_path: Path, option: tuple[str, str]) -> None:
    result = CliRunner().invoke(app, ["run", str(suite_of(asked)), *option, "--out", str(tmp_path / "o")])
    assert result.exit_code == 2
    assert option[0] in result.output
    assert not (tmp_path / "o").exists()


def test_a_key_without_a_server_is_refused(asked: Path, tmp_path: Path) -> None:
    for what in (asked, suite_of(asked)):
        result = CliRunner().invoke(app, ["run", str(what), "--key", "quoth_x", "--out", str(tmp_path / "o")])
        assert result.exit_code == 2
        assert "A key is for --endpoint" in result.output


def test_sample_seed_and_collection_of_the_command_line_stand_above_those_of_a_suite(
    asked: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUOTH_HOME", str(home))
    suite = suite_of(asked, 'retriever = "bm25"\n')
    suite.write_text(suite.read_text(encoding="utf-8").replace('"answer"', '"retrieve"'), encoding="utf-8")
    options = ["--collection", "rivers", "--sample", "2", "--seed", "5", "--out", str(tmp_path / "o")]
    result = CliRunner().invoke(app, ["run", str(suite), *options])
    assert result.exit_code == 0, result.output
    about = manifest.read(tmp_path / "o" / "r")["identity"]
    assert (about["sample"], about["seed"], about["target"]["collection"]["name"]) == (2, 5, "rivers")


@pytest.mark.parametrize(
    ("change", "option"),
    [
        ({"retriever": "bm25", "task": "answer"}, "--retriever"),
        ({"split": "dev"}, "--split"),
        ({"retriever": "encoder", "collection": "rivers", "task": "retrieve"}, "--collection"),
        ({"retriever": "encoder", "generator": "remote", "task": "retrieve"}, "--generator"),
    ],
)
def test_an_option_that_would_change_nothing_is_refused(
    asked: Path, tmp_path: Path, change: dict[str, Any], option: str
) -> None:
    (tmp_path / "notes.md").write_text(RIVERS, encoding="utf-8")
    with pytest.raises(TaskUnfit, match=f"{option} changes nothing"):
        execute(RunPlan(asked, **change), tmp_path / "o", tmp_path / "i", watch)


def test_settings_for_a_server_that_has_its_own_are_refused(asked: Path, tmp_path: Path) -> None:
    its_own = RunPlan(asked, endpoint="http://127.0.0.1:9", settings={"target_precision": 0.8})
    with pytest.raises(TaskUnfit, match="its own settings, not with target_precision"):
        execute(its_own, tmp_path / "o", tmp_path / "i", watch)


def test_a_server_without_its_default_collection_is_asked_about_the_one_that_is_named(
    tmp_path: Path, serve_scripted: Callable[[Any], Any]
) -> None:
    with closing(Library(tmp_path, HashedEncoder())) as library:
        collection = library.open_or_create("debian")
        collection.add(Document("d", "v", "file:///d.md", "Bridge", "text/markdown", BRIDGES))
    with serve_scripted(ScriptedAnswerer()) as url:
        with closing(RemoteTarget(url, "debian")) as target:
            held: Any = target.describe()["collection"]
            assert (held["name"], held["documents"]) == ("debian", 1)
            assert held["sha256"] == manifest.collection_identity("", [("Bridge", "v")], 0)["sha256"]
        with closing(RemoteTarget(url, None)) as target, pytest.raises(CollectionMissing, match="it has: debian"):
            target.describe()


def test_a_place_of_gold_evidence_is_checked_against_the_document(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "notes.md").write_text(RIVERS, encoding="utf-8")
    quote = "Its dams were built in 1904."
    file = tmp_path / "cases.jsonl"
    for shift in (0, 3):
        start = RIVERS.index(quote) + shift
        gold = {"document": "notes.md", "quote": quote, "start": start, "end": start + len(quote)}
        file.write_text(json.dumps({"id": "1", "question": "When?", "evidence": [gold]}) + "\n", encoding="utf-8")
        placed = RunPlan(file, corpus=corpus, task="retrieve", retriever="bm25")
        if shift:
            with pytest.raises(DataInvalid, match=r"line 1: case '1': notes\.md has ' dams were built"):
                execute(placed, tmp_path / f"o{shift}", tmp_path / "i", watch)
        else:
            execute(placed, tmp_path / f"o{shift}", tmp_path / "i", watch)


def test_the_files_of_a_run_beside_the_documents_are_no_documents(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text(RIVERS, encoding="utf-8")
    file = tmp_path / "cases.jsonl"
    file.write_text('{"id": "1", "question": "When?", "relevant": {"notes.md": 1}}\n', encoding="utf-8")
    beside = RunPlan(file, task="retrieve", retriever="bm25")
    folder = execute(beside, tmp_path / "eval-run", tmp_path / "eval-run" / "index", watch)
    (folder / "report.md").write_text("# A report", encoding="utf-8")
    before = (folder / manifest.FILE).read_bytes()
    execute(beside, folder, folder / "index", watch)
    assert (folder / manifest.FILE).read_bytes() == before


def test_a_gold_quote_of_which_the_document_holds_nothing_is_run_and_named(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text(RIVERS, encoding="utf-8")
    file = tmp_path / "cases.jsonl"
    gold = {"document": "notes.md", "quote": "Penguins guard the border."}
    file.write_text(json.dumps({"id": "lost", "question": "Who guards it?", "evidence": [gold]}) + "\n")
    folder = execute(RunPlan(file, task="retrieve", retriever="bm25"), tmp_path / "o", tmp_path / "i", watch)
    assert manifest.read(folder)["identity"]["target"]["cases_not_extracted"] == ["lost"]
    assert len(read_rows(folder)) == 1


def test_remarks_for_the_reviewer_are_no_kind_of_case(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [1.0])
    row = Row("1", "q", {}, {"review": "read it aloud", "form": "date"}, {}, {"correct": 1.0})
    (folder / ROWS).write_bytes(row.line())
    assert [found.tag for found in run_report(folder).slices] == ["form"]
