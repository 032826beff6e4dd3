"""The cost of a threshold of refusal: wrong answers shown count double, right answers withheld once."""

from dataclasses import replace

import pytest

from evaluation.rows import Row
from models import folder
from service.scoring.calibration import Calibration
from training.threshold import TARGETS, AskedCase, Outcome, comparison, mean_cost, outcome

RIGHT, WRONG, NONE = AskedCase(0.8, True, True), AskedCase(0.6, True, False), AskedCase(0.4, False, False)


def row(confidence, correct, *, answerable=True, refused=False):
    return Row(
        "c", "?", {"answerable": answerable}, {}, {"confidence": confidence, "refused": refused}, {"correct": correct}
    )


def test_wrong_answers_shown_cost_twice_what_right_answers_withheld_do():
    asked = [RIGHT, replace(RIGHT, confidence=0.3), WRONG, NONE]
    assert outcome(asked, 0.0) == Outcome(2 / 4, 0.0, 2 / 3, 0.0)
    assert outcome(asked, 0.5) == Outcome(1 / 4, 1 / 4, 1 / 3, 1.0)
    assert outcome(asked, 0.5).cost == 2 * 1 / 4 + 1 / 4
    assert outcome(asked, 0.9) == Outcome(0.0, 2 / 4, 0.0, 1.0)


def test_a_corpus_without_one_kind_of_question_has_no_share_of_it():
    assert outcome([RIGHT], 0.5).refused is None
    assert outcome([NONE], 0.5).answered_right is None
    with pytest.raises(ValueError, match="without a judged case"):
        outcome([], 0.5)


def test_each_corpus_weighs_the_same():
    assert mean_cost({"small": [WRONG], "large": [RIGHT] * 9}, 0.5) == (2.0 + 0.0) / 2


def test_a_row_that_was_not_judged_is_left_out_and_a_refusal_is_no_right_answer():
    assert AskedCase.of(row(0.5, None)) is None
    assert AskedCase.of(row(0.5, 1.0)) == AskedCase(0.5, True, True)
    assert AskedCase.of(row(0.5, 0.0)) == AskedCase(0.5, True, False)
    assert AskedCase.of(row(0.5, 1.0, answerable=False, refused=True)) == AskedCase(0.5, False, False)


def test_the_cheapest_target_is_named_and_every_target_has_a_row():
    calibration = Calibration.load(folder("calibration"))
    strict = calibration.threshold(TARGETS[-1])
    certain = [AskedCase(strict + 0.01, True, True), AskedCase(strict - 0.01, False, False)]
    text = comparison({"made": certain}, calibration)
    assert text.endswith(f"Cheapest: {TARGETS[-1]}\n")
    assert sum(line.startswith("| 0.") for line in text.splitlines()) == len(TARGETS)
