"""The calibration: signals and arithmetic by hand, the file format, the shipped calibration."""

import json
import math

import pytest

from index.chunking.units import prose_rendering
from index.errors import ModelDamaged, ModelMissing
from models import folder
from service.scoring.calibration import FILE, NAMES, Calibration, Signals, Step, relevance_alone, signals
from service.scoring.reader import Reader, Reading, SentenceReading
from service.scoring.second_pass import read_twice


def reading(relevance, *scores):
    return Reading(relevance, tuple(SentenceReading(n, n + 1, score, None) for n, score in enumerate(scores)))


def make_calibration(**changes):
    values = {
        "version": "1",
        "reader": "abc",
        "mean": (1.0,) * len(NAMES),
        "scale": (2.0,) * len(NAMES),
        "weights": (0.5,) + (0.0,) * (len(NAMES) - 1),
        "bias": -1.0,
        "curve": (Step(0.2, 0.6, 0.5, 1.0), Step(0.5, 0.8, 0.7, 0.7), Step(0.8, 0.95, 0.8, 0.3)),
    }
    return Calibration(**{**values, **changes})


def test_the_signals_are_those_of_the_most_relevant_passage():
    first = Reading(2.5, (SentenceReading(0, 1, 0.5, None, 1.25), SentenceReading(2, 3, 1.0, None)))
    assert signals([reading(1.0, 3.0, -1.0), first]) == Signals(2.5, 1.0, 1.25)


def test_the_order_of_the_passages_does_not_matter():
    read = [reading(1.0, 3.0), reading(2.5, 0.5), reading(-4.0, -4.0)]
    assert signals(read) == signals(read[::-1])


def test_no_signal_is_below_five_logits_less_than_even():
    assert signals([reading(-2.0)]) == Signals(-2.0, -5.0, -4.0)  # a passage without units
    assert signals([reading(-11.0, -12.5)]) == Signals(-5.0, -5.0, -5.0)


def test_the_best_of_the_sentences_that_were_read_alone_counts():
    sentences = (SentenceReading(0, 1, 0.5, None, 2.0), SentenceReading(2, 3, 0.7, None, 1.0))
    assert relevance_alone(Reading(2.5, sentences)) == 1.0


def test_a_sentence_that_says_little_by_itself_lowers_the_signal_by_at_most_two_logits():
    assert relevance_alone(Reading(2.5, (SentenceReading(0, 1, 0.5, None, -9.0),))) == 0.5
    assert (
        relevance_alone(reading(2.5, 3.0)) == relevance_alone(Reading(2.5, ())) == 0.5
    )  # no sentence was read by itself


def test_without_a_passage_the_confidence_is_zero():
    assert signals([]) is None
    assert make_calibration().probability(None) == 0.0


def test_the_probability_is_the_logistic_of_the_standardised_signals():
    known = Signals(5.0, 0.0, 0.0)
    assert make_calibration().probability(known) == pytest.approx(1 / (1 + math.exp(-(-1.0 + 0.5 * (5.0 - 1.0) / 2.0))))


def test_extreme_signals_stay_probabilities():
    known = Signals(1e9, 0.0, 0.0)
    assert 0.999 < make_calibration().probability(known) <= 1.0


@pytest.mark.parametrize(("target", "threshold"), [(0.5, 0.2), (0.6, 0.2), (0.7, 0.5), (0.9, 0.8), (0.99, 0.8)])
def test_the_threshold_is_the_lowest_that_keeps_the_target(target, threshold):
    assert make_calibration().threshold(target) == threshold


def test_a_threshold_keeps_the_target_above_it_too():
    dip = (Step(0.2, 0.9, 0, 1), Step(0.5, 0.7, 0, 0.5), Step(0.8, 0.95, 0, 0.2))
    assert make_calibration(curve=dip).threshold(0.85) == 0.8


def test_a_written_calibration_is_read_back_unchanged(tmp_path):
    make_calibration().save(tmp_path)
    assert Calibration.load(tmp_path, reader="abc") == make_calibration()


def test_a_calibration_of_another_reader_is_refused(tmp_path):
    make_calibration().save(tmp_path)
    with pytest.raises(ModelDamaged, match=FILE):
        Calibration.load(tmp_path, reader="def")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelMissing, match=FILE):
        Calibration.load(tmp_path)


@pytest.mark.parametrize(
    "change", [{"signals": ["x"]}, {"mean": [1.0]}, {"curve": []}, {"bias": None}, {"weights": "seven"}]
)
def test_a_malformed_file_is_refused_by_name(tmp_path, change):
    make_calibration().save(tmp_path)
    path = tmp_path / FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ModelDamaged, match=FILE):
        Calibration.load(tmp_path)


def test_the_shipped_calibration_belongs_to_the_shipped_reader_and_separates_answers(compiled):
    reader = Reader.load(folder("reader"), cache=compiled)
    calibration = Calibration.load(folder("calibration"), reader=reader.config.sha256)
    passages = [
        "The tower is 330 metres tall. Gustave Eiffel built it for the World's Fair in 1889.",
        "Bananas grow in bunches. They turn yellow when they are ripe.",
    ]
    renderings = [prose_rendering(passage) for passage in passages]

    def confidence(question):
        return calibration.probability(signals(read_twice(question, renderings, ["", ""], reader)))

    assert confidence("How tall is the tower?") > confidence("Which bank pays the highest interest?") + 0.3
