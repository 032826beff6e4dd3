"""Every command of training that no other test runs, from end to end on small sets of our own: what it needs and writes."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from index.inference.shape import BertShape
from service.scoring.calibration import Calibration
from service.scoring.networks import ReaderNetwork
from service.scoring.trained_model import ModelConfig
from service.scoring.weights import write_model
from tests.training_sets import write_sets
from training import calibrate, card, evaluate, held_out, prepare
from training.arrays import ExampleArrays


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sets(tmp_path_factory.mktemp("sets"))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reader of one layer that has learned nothing."""
    folder = tmp_path_factory.mktemp("reader")
    torch.manual_seed(0)
    shape = BertShape(layers=1, width=48, heads=4, inner=48)
    write_model(folder, ModelConfig("reader", "1", "b", shape, 128, ""), ReaderNetwork(shape).state_dict())
    return folder


def run(command: object, *arguments: object) -> None:
    command.main([str(argument) for argument in arguments])  # type: ignore[attr-defined]


def test_prepare_writes_every_kind_of_examples_once(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("--data", data, "--out", tmp_path, "--structure", 8)
    run(prepare, *asked)
    made = {path.stem: ExampleArrays.load(path) for path in tmp_path.glob("*.npz")}
    assert set(made) == {"reader-0", "reader-structure-0", "reader-unlabelled", "support-0"}
    assert all(len(arrays) for arrays in made.values())
    assert {"squad2", "clapnq", "covid_qa"} <= set(map(str, made["reader-0"].names))
    capsys.readouterr()
    run(prepare, *asked)
    assert capsys.readouterr().out == ""  # what is there is left as it is


def test_a_reader_is_measured_calibrated_and_described(data: Path, reader: Path, tmp_path: Path) -> None:
    runs, models = tmp_path / "runs", tmp_path / "models"
    run(evaluate, "--data", data, "--reader", reader, "--engine", "torch", "--most", 32, "--run", runs / "evaluation")
    for path in (runs / "evaluation").glob("*_torch_32.json"):
        path.rename(path.with_name(path.name.replace("torch", "openvino")))
    run(calibrate, "--data", data, "--reader", reader, "--out", models / "calibration", "--run", runs / "calibration")
    run(card, "--runs", runs, "--models", models)

    measured = json.loads((runs / "evaluation" / "reader_openvino_32.json").read_text())
    assert set(measured["best_sentence"]) >= {"squad2", "clapnq", "reddit", "covid_qa", "policyqa", "squad2_train"}
    assert 0 <= measured["best_sentence"]["squad2"]["value"] <= 1
    kinds = json.loads((runs / "evaluation" / "support_openvino_32.json").read_text())["altered"]["kinds"]
    assert {"literal copy", "polarity", "number"} <= set(kinds)
    calibration = Calibration.load(models / "calibration")
    assert 0 < calibration.threshold(0.8) <= 1
    assert np.isfinite(json.loads((runs / "calibration" / "report.json").read_text())["test"]["brier"])
    for name, said in (("reader", "squad2"), ("support", "polarity"), ("calibration", "unit")):
        assert said in (models / name / "CARD.md").read_text(encoding="utf-8")


def test_the_cases_that_no_model_was_trained_on_are_listed_by_set(data: Path, tmp_path: Path) -> None:
    run(held_out, "--data", data, "--out", tmp_path)
    listed = {path.stem: path.read_text().split() for path in tmp_path.glob("*.txt")}
    assert set(listed) == {
        "clapnq", "squad2", "amazon_reviews", "policyqa", "covid_qa", "begin", "wice", "scifact",
    }  # fmt: skip
    assert 0 < len(listed["clapnq"]) < 96
