"""The stages of an answer: laps, totals, and stopping between two stages."""

import threading

import pytest

from service.answering.answerer import PassagesFound
from service.answering.service import Service
from service.progress import STAGES, AnswerStopped, Stages, current_stages
from service.records import Question


def test_laps_are_in_order_and_add_up_by_stage() -> None:
    stages = Stages()
    for stage in ("generate", "check", "generate"):
        with stages.lap(stage):
            pass
    assert [lap.stage for lap in stages.laps] == ["generate", "check", "generate"]
    assert all(stages.start_ns <= lap.begin_ns <= lap.end_ns for lap in stages.laps)
    spent = stages.milliseconds()
    assert list(spent) == ["generate", "check", "total"]
    first, _, third = stages.laps
    laps_ms = (first.end_ns - first.begin_ns + third.end_ns - third.begin_ns) / 1e6
    assert spent["generate"] == pytest.approx(laps_ms, abs=0.001)
    assert spent["total"] >= spent["generate"]


def test_a_lap_that_raises_is_recorded_as_failed() -> None:
    stages = Stages()
    with pytest.raises(KeyError), stages.lap("read"):
        raise KeyError("x")
    assert [lap.failed for lap in stages.laps] == [True]


def test_after_stop_no_further_stage_begins() -> None:
    stages = Stages()
    with stages.lap("retrieve"):
        threading.Thread(target=stages.stop).start()
    with pytest.raises(AnswerStopped), stages.lap("read"):
        raise AssertionError("it began")
    assert [lap.stage for lap in stages.laps] == ["retrieve"]


def test_an_answer_passes_through_the_known_stages_and_ends_where_it_is_stopped(service: Service) -> None:
    asked = Question("How many cyberattacks of note does Seoul hold the North responsible for since 2007?")
    stages = Stages()
    answer = service.answerer.answer(asked, stages)
    assert [lap.stage for lap in stages.laps][:3] == ["rewrite", "retrieve", "read"]
    assert {lap.stage for lap in stages.laps} == set(STAGES)
    assert set(answer.timings_ms) == {*STAGES, "total"}
    stopped = Stages()
    events = service.answerer.stream(asked, stopped)
    assert isinstance(next(events), PassagesFound)
    stopped.stop()
    with pytest.raises(AnswerStopped):
        next(events)
    assert [lap.stage for lap in stopped.laps] == ["rewrite", "retrieve", "read"]


def test_a_stop_cancels_the_current_wait_once_and_a_later_wait_at_once() -> None:
    stages, cuts = Stages(), []
    stages.when_stopped(lambda: cuts.append("waiting"))
    with stages.lap("generate"):
        assert current_stages() is stages
        current_stages().raise_if_stopped()
    assert cuts == []
    stages.stop()
    stages.stop()
    assert cuts == ["waiting"]
    stages.when_stopped(lambda: cuts.append("late"))
    assert cuts == ["waiting", "late"]
    with pytest.raises(AnswerStopped):
        stages.raise_if_stopped()


def test_a_pause_ends_with_the_stop_or_by_itself() -> None:
    stages = Stages()
    stages.pause(0.0)
    threading.Timer(0.01, stages.stop).start()
    with pytest.raises(AnswerStopped):
        stages.pause(3600.0)


def test_outside_an_answer_nothing_is_stopped() -> None:
    stages = Stages()
    with stages.lap("generate"):
        stages.stop()
    current_stages().raise_if_stopped()
