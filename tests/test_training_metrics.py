"""Training metrics, learning rate and losses with the arithmetic written out; a run that learns and resumes."""

import math
import random

import numpy as np
import pytest
import torch

from index.inference.shape import BertShape
from index.records import Chunk, Hit
from service.scoring.calibration import Signals
from service.scoring.networks import ReaderNetwork
from service.scoring.reader import Reading, SentenceReading
from training.arrays import DeviceExamples, ExampleArrays
from training.average import average
from training.batches import Labeller
from training.claims import COPY, ClaimPair
from training.evaluate import altered_by_kind
from training.loop import Training, TrainingBudget, rate_factor
from training.losses import reader_losses
from training.pretrained import base_tokenizer
from training.reader import losses
from training.sources import answering_passage, irrelevant_passage
from training.statistics import auroc, balanced_accuracy, best_threshold, fit_logistic, interval, ndcg


def test_auroc_counts_pairs_in_order_and_ties_half():
    assert auroc([1, 1, 0, 0], [4, 2, 3, 1]) == 0.75  # 3 of 4 pairs in order
    assert auroc([1, 0], [5, 5]) == 0.5
    assert math.isnan(auroc([1, 1], [1, 2]))


def test_balanced_accuracy_is_the_mean_of_both_recalls():
    labels, scores = [1, 1, 1, 0], [0.9, 0.8, 0.1, 0.2]
    assert balanced_accuracy(labels, scores, 0.5) == pytest.approx((2 / 3 + 1) / 2)
    assert best_threshold([0, 0, 1, 1], [0.1, 0.2, 0.7, 0.9]) == pytest.approx(0.45)


def test_ndcg_discounts_by_the_logarithm_of_the_rank():
    assert ndcg([0, 1, 0, 1], [1, 1]) == pytest.approx((1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3)))
    assert ndcg([0] * 10 + [1], [1]) == 0


def test_the_interval_holds_the_mean_and_narrows_with_more_questions():
    values = np.array([0.0, 1.0] * 200)
    low, high = interval(lambda rows: float(values[rows].mean()), 400, rounds=200)
    assert low < 0.5 < high
    assert high - low < 0.12


def test_the_rate_warms_up_stays_and_cools_down():
    assert rate_factor(0.015) == pytest.approx(0.5)
    assert rate_factor(0.5) == rate_factor(0.8) == 1.0
    assert rate_factor(0.85, cool=0.2) == pytest.approx(1 - math.sqrt(0.25))
    assert rate_factor(1.0) == pytest.approx(0.0, abs=1e-12)


def test_case_weights_are_shared_out_by_class_and_by_who_made_a_question_unanswerable():
    from training.calibrate import CaseOutcome, case_weights

    def outcome(answerable, written_so):
        return CaseOutcome(Signals(0.0, 0.0, 0.0), answerable, False, "t", written_so)

    cases = [outcome(True, False), outcome(False, True), outcome(False, False), outcome(False, False)]
    found = case_weights(cases)
    assert found.mean() == pytest.approx(1.0)
    assert (found / found.sum()).tolist() == pytest.approx([0.5, 0.35, 0.075, 0.075])


class EvenReader:
    """Reads every passage alike."""

    def read(self, question, passages, contexts=None, sentences=None):
        return [Reading(2.0, (SentenceReading(0, len(text), 1.5, None),)) for text in passages]

    def is_common(self, word):
        return True


@pytest.mark.parametrize(
    ("asked", "lost"), [("How long is the bridge of Porto?", 0.0), ("How long is the bridge of Oslo?", 6.0)]
)
def test_a_case_of_the_calibration_is_weighed_as_an_answer_is(asked, lost):
    from training.calibrate import CalibrationCase, outcome

    text = "The bridge of Porto is 240 metres long."
    hit = Hit(Chunk("c", "d", "v", 0, 0, len(text), text), "Bridges", "", None, 0.1, 0.5, 1.0)
    reader = EvenReader()
    case = CalibrationCase(asked, text, (), "t")
    found = outcome(case, [hit], {text: reader.read(asked, [text])[0]}, reader, answerable=True)
    assert found.signals == Signals(2.0 - lost, 1.5 - lost, 2.0 - lost)


def test_the_fit_finds_the_signal_and_shrinks_the_noise():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    y = (x[:, 0] + 0.1 * rng.normal(size=400) > 0).astype(float)
    slope, bias = fit_logistic(x, y, np.ones(400), ridge=3.0)
    assert slope[0] > 2
    assert abs(slope[1]) < 0.3
    assert abs(bias) < 0.5


def test_the_fit_of_two_groups_is_their_log_odds_and_far_outliers_do_not_throw_it_off():
    x = np.array([[0.0]] * 4 + [[1.0]] * 4)
    y = np.array([1.0, 0, 0, 0, 1, 1, 1, 0])
    slope, bias = fit_logistic(x, y, np.ones(8), ridge=0.0)
    assert bias == pytest.approx(math.log(1 / 3))
    assert slope[0] == pytest.approx(math.log(3) - math.log(1 / 3))
    far = np.vstack([x, [[-50.0]]])
    slope, _ = fit_logistic(far, np.append(y, 0.0), np.ones(9), ridge=1e-3)
    assert 0 < slope[0] < 10


def test_calibration_error_and_brier_by_hand():
    from training.calibrate import reliability

    error, brier = reliability(np.array([0.95, 0.95, 0.05, 0.05]), np.array([1.0, 0.0, 0.0, 1.0]), np.ones(4))
    assert error == pytest.approx(0.45)
    assert brier == pytest.approx((0.05**2 + 0.95**2) / 2)


def test_each_kind_of_changed_fact_is_compared_with_the_copies():
    kinds = [COPY, COPY, "unit", "unit", "name"]
    pairs = [ClaimPair("c", "p", kind == COPY, kind) for kind in kinds]
    alone, ruled = np.array([0.9, 0.4, 0.7, 0.1, 0.2]), np.array([1.0, 1.0, 0.0, 0.0, 0.6])
    facts = altered_by_kind(pairs, alone, ruled)
    assert {kind: facts[kind]["right"]["value"] for kind in facts} == {COPY: 0.5, "unit": 0.5, "name": 1.0}
    assert {kind: facts[kind]["right_with_rules"]["value"] for kind in facts} == {COPY: 1.0, "unit": 1.0, "name": 0.0}
    assert facts["unit"]["auroc"] == 0.75  # of the four pairs of copy and changed one, .4 against .7 is wrong
    assert facts["unit"]["auroc_with_rules"] == facts["name"]["auroc"] == 1.0
    assert "auroc" not in facts[COPY]


@pytest.fixture(scope="module")
def groups():
    labeller = Labeller(base_tokenizer(), 64)
    rng = random.Random(0)
    passages = [f"The {thing} is {colour}. It was bought by {who}." for thing, colour, who in (
        ("house", "red", "Anna"), ("boat", "green", "Otto"), ("car", "blue", "Ida"), ("bike", "black", "Emil"))]  # fmt: skip
    readings = [
        (answering_passage("Who bought it?", passage,
                           [(passage.index(" by ") + 4, passage[passage.index(" by ") + 4 : -1])], "t"),
         irrelevant_passage("Who bought it?", "Rain fell all day. Nobody came.", "t"))
        for passage in passages
    ]  # fmt: skip
    return [[labeller.example(reading, rng) for reading in group] for group in readings]


def padded(groups):
    """All examples of the groups in one batch on the CPU."""
    arrays = ExampleArrays.of(groups)
    return DeviceExamples(arrays, None, torch.device("cpu")).batch(np.arange(len(arrays)))


def test_losses_by_hand(groups):
    batch = padded(groups[:1])
    sentences = torch.tensor([[0.0, 2.0], [-1.0, -1.0]])
    tokens = batch.inputs["input_ids"].shape[1]
    found = reader_losses(torch.tensor([1.0, -1.0]), sentences, torch.zeros(2, tokens, 2), batch)
    softplus = lambda x: math.log1p(math.exp(x))  # noqa: E731
    assert float(found["relevance"]) == pytest.approx(softplus(-1.0))
    assert float(found["ranking"]) == pytest.approx(softplus(-2.0))
    assert float(found["choice"]) == pytest.approx(softplus(-2.0))
    first = (softplus(0.0) + softplus(-2.0)) / 2
    assert float(found["sentence"]) == pytest.approx((first + softplus(-1.0)) / 2)
    length = int((batch.inputs["sentence_ids"][0] == 2).sum())
    assert float(found["span"]) == pytest.approx(math.log(length), abs=1e-5)


def test_twenty_steps_reduce_the_loss_and_a_stopped_run_goes_on_where_it_was(groups, tmp_path):
    torch.manual_seed(0)
    shape = BertShape(positions=64, width=48, layers=1, heads=4, inner=96)
    batch = padded(groups)
    network = ReaderNetwork(shape)
    before = losses(network, batch)[1].item()
    training = Training(network, tmp_path, TrainingBudget(60.0, cool=0.2, encoder_rate=3e-3, head_rate=3e-3))
    training.seconds = 0.1 * 3600  # past the warm-up
    measured = []
    with pytest.raises(RuntimeError, match="interrupted"):
        training.run(_TwentyBatches(batch), losses, lambda: measured.append(1), measure_minutes=1e9)
    assert losses(network, batch)[1].item() < 0.5 * before
    training.save()
    again = Training(ReaderNetwork(shape), tmp_path, training.budget)
    assert again.resume()
    assert (again.step, again.seconds) == (20, training.seconds)
    assert losses(again.network, batch)[1].item() == pytest.approx(losses(network, batch)[1].item())


class _TwentyBatches:
    """Twenty batches, then an interruption."""

    def __init__(self, batch):
        self.batch = batch

    def __iter__(self):
        yield from [self.batch] * 20
        raise RuntimeError("interrupted")


def test_a_run_ends_with_its_budget_and_measures_once_more(groups, tmp_path):
    network = ReaderNetwork(BertShape(positions=64, width=24, layers=1, heads=2, inner=24))
    training = Training(network, tmp_path, TrainingBudget(0.002, cool=0.2, encoder_rate=1e-3, head_rate=1e-3))
    measured = []
    training.run(iter(lambda: padded(groups), None), losses, lambda: measured.append(training.step), 1e9)
    assert training.share == 1.0
    assert measured == [training.step]
    assert (tmp_path / "checkpoint.pt").exists()


def test_a_run_ends_with_the_mean_of_the_weights_of_its_last_third(groups, tmp_path):
    network = ReaderNetwork(BertShape(positions=64, width=24, layers=1, heads=2, inner=24))
    training = Training(network, tmp_path, TrainingBudget(0, cool=0.2, encoder_rate=1e-2, head_rate=1e-2, steps=9))
    seen = []

    def watched(network, batch):
        seen.append(network.span.weight.detach().clone())
        return losses(network, batch)

    training.run([padded(groups)] * 20, watched, lambda: None, 1e9)
    after_each = [*seen[1:], torch.load(tmp_path / "checkpoint.pt")["network"]["span.weight"]]
    assert torch.allclose(network.span.weight, torch.stack(after_each[6:]).mean(0), atol=1e-7)
    assert not torch.allclose(network.span.weight, after_each[-1], atol=1e-7)


def test_frozen_layers_stay_as_they_were(groups, tmp_path):
    network = ReaderNetwork(BertShape(positions=64, width=24, layers=2, heads=2, inner=24))
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    budget = TrainingBudget(0, cool=0.2, encoder_rate=1e-2, head_rate=1e-2, steps=3)
    Training(network, tmp_path, budget, frozen_layers=1).run([padded(groups)] * 3, losses, lambda: None, 1e9)
    changed = {name for name, weight in network.state_dict().items() if not torch.equal(weight, before[name])}
    assert {name for name in changed if name.startswith("bert.")} == {
        name for name in before if name.startswith("bert.layers.1.")
    }
    assert "relevance.outer.weight" in changed


def test_an_average_is_taken_weight_by_weight():
    earlier, later = {"w": torch.tensor([0.0, 4.0])}, {"w": torch.tensor([2.0, 8.0]).half()}
    assert average(earlier, later, 0.25)["w"].tolist() == [0.5, 5.0]
    with pytest.raises(KeyError, match="bias"):
        average(earlier, {"bias": torch.zeros(1)}, 0.5)
