from pathlib import Path

import pytest

from evaluation.errors import SuiteInvalid
from evaluation.metrics.statistics import Estimate
from evaluation.suite import Gate, check_gates, read_suite
from evaluation.summary import Figure

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
FIGURES = [Figure("quote_validity", Estimate(1.0, 0.99, 1.0, 50)), Figure("ece", Estimate(0.08, 0.02, 0.2, 50))]


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
    (entry,) = read_suite(suite_file(tmp_path)).entries
    low, value = check_gates("rivers", entry.gates, FIGURES)
    assert (low.passed, low.measured) == (False, 0.99)
    assert (value.passed, value.measured) == (True, 0.08)
    assert str(low) == "FAIL  rivers: quote_validity (low end) 0.9900, wanted >= 1.0"


def test_a_gate_on_what_was_not_measured_fails() -> None:
    (verdict,) = check_gates("rivers", [Gate("auroc", 0.5, None, "value")], FIGURES)
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
        (("seed = 7", "seed = "), "docs/evaluation.md"),
    ],
)
def test_faults_of_a_suite_name_the_key(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    with pytest.raises(SuiteInvalid) as caught:
        read_suite(suite_file(tmp_path, SUITE.replace(*change)))
    assert said in str(caught.value)
