from pathlib import Path

import pytest

from evaluation.errors import SuiteInvalid
from evaluation.rows import Row
from evaluation.suite import Gate, check_gates, read_suite

SUITE = """
name = "release"
seed = 7

[[run]]
name = "rivers"
dataset = "data/rivers.json"
task = "answer"
sample = 100
settings = { target_precision = 0.8 }

[[run.gate]]
metric = "quote_validity"
at_least = 1.0
of = "low"

[[run.gate]]
metric = "ece"
at_most = 0.1
"""


def row(case: str, valid: float, form: str = "date") -> Row:
    return Row(case, "q", {}, {"form": form}, {}, {"quote_validity": valid})


ROWS = [row(str(number), float(number > 0)) for number in range(50)]


def suite_file(folder: Path, text: str = SUITE) -> Path:
    file = folder / "suite.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_suite_names_runs_relative_to_itself(tmp_path: Path) -> None:
    suite = read_suite(suite_file(tmp_path))
    (entry,) = suite.entries
    assert (suite.name, suite.seed, entry.name, entry.sample) == ("release", 7, "rivers", 100)
    assert entry.dataset == tmp_path / "data" / "rivers.json"
    assert entry.settings == {"target_precision": 0.8}
    assert [gate.metric for gate in entry.gates] == ["quote_validity", "ece"]


def test_the_hash_of_a_suite_changes_with_its_text(tmp_path: Path) -> None:
    before = read_suite(suite_file(tmp_path)).sha256
    assert read_suite(suite_file(tmp_path)).sha256 == before
    assert read_suite(suite_file(tmp_path, SUITE.replace("0.1", "0.2"))).sha256 != before


def test_gates_hold_the_value_or_an_end_of_its_interval(tmp_path: Path) -> None:
    loose = [Gate("quote_validity", 0.95, None, bound) for bound in ("value", "low")]
    value, low = check_gates("rivers", loose, ROWS)
    assert (value.passed, value.measured) == (True, 0.98)
    assert (low.passed, low.measured) == (False, pytest.approx(0.94, abs=0.02))
    assert str(low).startswith("FAIL  rivers: quote_validity (low end) 0.9")
    most = Gate("errors", None, 0.1, "value")
    assert str(check_gates("rivers", [most], ROWS)[0]) == "pass  rivers: errors 0.0000, wanted <= 0.1"


def test_a_gate_may_hold_for_the_cases_with_a_tag(tmp_path: Path) -> None:
    text = SUITE.replace("at_most = 0.1", 'at_least = 0.9\nwhere = { form = "table" }').replace("ece", "quote_validity")
    (entry,) = read_suite(suite_file(tmp_path, text)).entries
    tables = [row(f"t{number}", float(number < 2), "table") for number in range(4)]
    of_all, of_tables = check_gates(
        "rivers", [Gate("quote_validity", 0.9, None, "value"), entry.gates[1]], ROWS + tables
    )
    assert (of_all.passed, of_tables.passed, of_tables.measured) == (True, False, 0.5)
    assert str(of_tables) == "FAIL  rivers, form = table: quote_validity 0.5000, wanted >= 0.9"
    nowhere = check_gates("rivers", [entry.gates[1]], ROWS)
    assert "not measured" in str(nowhere[0])


def test_a_gate_on_what_was_not_measured_fails() -> None:
    (verdict,) = check_gates("rivers", [Gate("auroc", 0.5, None, "value")], ROWS)
    assert not verdict.passed
    assert "not measured" in str(verdict)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("at_least", "atleast"), "unknown key 'atleast' in a [[run.gate]]. Did you mean 'at_least'?"),
        (('task = "answer"', 'task = "sing"'), "Use one of answer, retrieve, read, verify"),
        (("sample = 100", 'sample = "all"'), "Make it a int"),
        (('dataset = "data/rivers.json"', ""), "a [[run]] without 'dataset'"),
        (("at_least = 1.0", ""), "one of 'at_least' and 'at_most'"),
        (("[[run]]", "[[runs]]"), "unknown key 'runs'"),
        (("at_most = 0.1", "at_most = 0.1\nwhere = { form = 1 }"), "Write tags as texts"),
        (("seed = 7", "seed = "), "docs/evaluation.md"),
    ],
)
def test_faults_of_a_suite_name_the_key(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    with pytest.raises(SuiteInvalid) as caught:
        read_suite(suite_file(tmp_path, SUITE.replace(*change)))
    assert said in str(caught.value)
