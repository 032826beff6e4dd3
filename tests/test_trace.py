"""A trace of one answer: what each step saw and decided; plain stages keep nothing."""

from dataclasses import replace

from service.answering.answerer import Answerer
from service.answering.checking import CheckedSentence, Rejected
from service.answering.service import Service
from service.answering.trace import Trace
from service.generators.scripted import ScriptedGenerator
from service.progress import Stages
from service.records import Question

ATTACKS = "How many cyberattacks does Seoul blame on the North?"


def test_a_trace_keeps_what_each_step_saw_and_the_answer_is_the_same(service: Service) -> None:
    trace, plain = Trace(), Stages()
    answerer = service.answerer
    traced, untraced = answerer.answer(Question(ATTACKS), trace), answerer.answer(Question(ATTACKS), plain)
    assert (traced.text, traced.confidence) == (untraced.text, untraced.confidence)
    (searched,), (read,), (judged,) = trace.searched, trace.read, trace.judged
    assert searched.queries == (ATTACKS,)
    assert searched.depth == answerer.policy.depth >= len(searched.hits) > 0
    assert {p.hit.chunk.id for p in read.passages} <= {hit.chunk.id for hit in searched.hits}
    assert judged.confidence == traced.confidence >= judged.threshold == answerer.policy.threshold
    assert [passage.hit for passage in judged.shown] == list(traced.passages)
    shown = [step.outcome.sentence for step in trace.checked if isinstance(step.outcome, CheckedSentence)]
    assert tuple(shown) == traced.sentences


def test_a_trace_says_why_a_written_sentence_is_not_shown(service: Service) -> None:
    written = "Bananas ripen in the harbour of Busan."
    answerer = with_generator(service.answerer, f"{written} The documents do not say.")
    trace = Trace()
    answerer.answer(Question(ATTACKS), trace)
    first, second, *_ = trace.checked
    assert first.draft.text == written
    assert isinstance(first.outcome, Rejected)
    assert first.outcome.reason == "unsupported"
    assert (first.outcome.support or 0.0) < answerer.policy.support.min_support
    assert second.outcome == Rejected("refusal")


def with_generator(answerer: Answerer, text: str) -> Answerer:
    return replace(answerer, generators={"scripted": ScriptedGenerator([text])}, generator="scripted")
