"""The tables of docs/results.md: measured by one suite, written between their comments with command, date and hashes."""

from pathlib import Path

import pytest

from evaluation import manifest, results
from evaluation.cases import Case, GoldEvidence
from evaluation.datasets.golden import write_cases
from evaluation.errors import SuiteInvalid
from evaluation.suite import read_suite

SUITE = """
[[run]]
name = "small"
dataset = "set/cases.jsonl"
task = "retrieve"
retriever = "bm25"

[[run]]
name = "absent"
dataset = "{data}/absent"
"""
PAGE = """# Figures

By hand: .5

<!-- results: small -->
<!-- end of results -->

<!-- results: small absent -->
an older table
<!-- end of results -->
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "set").mkdir()
    for name, text in {"ferry": "The ferry leaves at nine.", "mill": "The mill grinds rye."}.items():
        (tmp_path / "set" / f"{name}.md").write_text(text, encoding="utf-8")
    cases = [
        Case(
            "ferry",
            "When does the ferry leave?",
            evidence=(GoldEvidence("ferry.md", "The ferry leaves at nine."),),
        )
    ]
    write_cases(tmp_path / "set" / "cases.jsonl", cases)
    (tmp_path / "suite.toml").write_text(SUITE, encoding="utf-8")
    (tmp_path / "page.md").write_text(PAGE, encoding="utf-8")
    return tmp_path


def make(folder: Path, *options: str) -> str:
    given = {"--suite": "suite.toml", "--out": "out", "--page": "page.md"}
    results.main([*(part for name, file in given.items() for part in (name, str(folder / file))), *options])
    return (folder / "page.md").read_text(encoding="utf-8")


def test_a_table_is_written_with_its_command_and_hashes_and_absent_data_leaves_the_older_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = make(folder)
    said = capsys.readouterr().out
    assert "absent: skipped, DATA/absent is not there" in said
    ours, older = page.split("<!-- results: small absent -->")
    assert 'make results DATA=DATA RUNS="small"' in ours
    assert "| ndcg@10 | 1.000 (1.000 – 1.000; 1) |" in ours
    (run,) = (folder / "out").glob("*/small")
    recorded = manifest.read(run)
    identity = recorded["identity"]
    for value in (identity["dataset"]["sha256"], identity["target"]["collection"]["sha256"], identity["code_sha256"]):
        assert value[:8] in ours
    assert f"reader `{identity['models']['reader'][:8]}`" in ours
    assert f"Measured on {recorded['ended'][:10]};" in ours
    assert older == PAGE.split("<!-- results: small absent -->")[1]
    assert ours.startswith("# Figures\n\nBy hand: .5\n\n<!-- results: small -->\n")
    assert make(folder) == page


def test_a_run_that_the_suite_does_not_have_is_refused_by_name(folder: Path) -> None:
    (folder / "page.md").write_text(PAGE.replace("small absent", "smal"), encoding="utf-8")
    with pytest.raises(SystemExit, match=r"no run 'smal'\. Known: small, absent\."):
        make(folder)


def test_a_suite_finds_its_data_sets_in_the_folder_that_is_given(folder: Path) -> None:
    _, absent = read_suite(folder / "suite.toml", Path("/sets")).entries
    assert absent.dataset == Path("/sets/absent")
    with pytest.raises(SuiteInvalid, match="a folder of data sets that was not named"):
        read_suite(folder / "suite.toml")


def test_the_page_shows_every_run_of_its_suite_and_no_other() -> None:
    page = results.PAGE.read_text(encoding="utf-8")
    suite = read_suite(results.SUITE, Path("DATA"))
    assert sorted(results.published_runs(page)) == sorted(entry.name for entry in suite.entries)
