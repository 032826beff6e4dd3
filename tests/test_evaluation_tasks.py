from collections.abc import Mapping, Sequence

import pytest

from evaluation.cases import Case, GoldEvidence, SourceDocument
from evaluation.document_matching import DocumentMatcher
from evaluation.tasks.answering import AnsweringTask
from evaluation.tasks.reading import ReadingTask
from evaluation.tasks.retrieval import RetrievalTask, rank_documents
from evaluation.tasks.verification import VerificationTask
from service.followups.rewriter import Rewriter
from service.generators.protocol import Completion
from service.prompts import Messages, load_prompts
from service.records import Turn, Usage
from service.schemas.answers import AnswerOut, CitationOut, DraftedOut, SentenceOut, UsageOut
from service.schemas.search import PassageOut

TEXT = "Rivers rise in spring. The Oder floods every March. Dams were built in 1904."
QUOTE = "The Oder floods every March."
BEGIN = TEXT.index(QUOTE)
SOURCES = {"rivers": SourceDocument("rivers", "Rivers", TEXT)}
EVIDENCE = (GoldEvidence("rivers", QUOTE, BEGIN, BEGIN + len(QUOTE)),)
CASE = Case("1", "When does it flood?", answers=("March",), answerable=True, evidence=EVIDENCE, relevant={"rivers": 1})


class Quoting:
    """A target that answers every question with one quote of the document, or refuses."""

    def __init__(
        self, quote: str | None, *, uri: str = "dataset:rivers", shift: int = 0, sentence: str | None = None
    ) -> None:
        self.quote = quote
        self.uri = uri
        self.shift = shift
        self.sentence = sentence or quote

    def answer(self, case: Case) -> AnswerOut:
        place = {
            "document_id": "rivers",
            "version": "v1",
            "title": "Rivers",
            "uri": self.uri,
            "page": None,
            "trail": (),
        }
        citations, sentences = [], []
        if self.quote is not None and self.sentence is not None:
            start = TEXT.index(self.quote) + self.shift
            end = start + len(self.quote)
            citations = [
                CitationOut(
                    **place, number=1, start=start, end=end, quote=self.quote, highlight=None, chunk_id="c", score=1.0
                )
            ]
            sentences = [SentenceOut(text=self.sentence, citations=(1,), supported=True, support=0.9)]
        return AnswerOut(
            id="random", conversation_id="random", question=case.question, rewritten_question=case.question,
            text=self.sentence or "The documents do not say.", refused=not sentences, confidence=0.81234567,
            sentences=tuple(sentences), citations=tuple(citations),
            passages=(PassageOut(**place, chunk_id="c", start=0, end=len(TEXT), text=TEXT, score=1.0),),
            generator="quoting", prompt_hash=None, usage=UsageOut(prompt_tokens=0, completion_tokens=0),
            timings_ms={"total": 3.0}, notes=(),
        )  # fmt: skip

    def search(self, query: str, k: int) -> list[PassageOut]:
        raise NotImplementedError

    def literal(self, citation: CitationOut) -> bool:
        return TEXT[citation.start : citation.end] == citation.quote

    def describe(self) -> Mapping[str, object]:
        return {}


class Words:
    """A checker for which a premise supports a claim whose words it all has."""

    def check(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        return [float(set(claim.lower().split()) <= set(premise.lower().split())) for claim, premise in pairs]


def scored(target: Quoting, case: Case = CASE) -> dict[str, float | None]:
    task = AnsweringTask(target, DocumentMatcher(SOURCES), SOURCES, Words())
    return task.scores(case, task.observe(case).output)


def test_an_answer_at_the_gold_evidence_is_correct() -> None:
    scores = scored(Quoting(QUOTE))
    for name in (
        "correct",
        "citation_precision",
        "citation_recall",
        "quote_validity",
        "attribution_recall",
        "passage_recall",
    ):
        assert scores[name] == 1.0, name
    assert scores["contains_answer"] == 1.0
    assert scores["answer_f1"] == pytest.approx(2 * 1 / (4 + 1))  # oder floods every march: the article is dropped
    assert scores["unsupported_share"] == 0.0


def test_passage_recall_counts_gold_quotes_in_passages_and_document_recall_documents() -> None:
    """One passage of the right document that does not hold the gold quote is no passage found."""
    target = Quoting(QUOTE)
    answer = target.answer(CASE)
    dams = TEXT.index("Dams")
    beside = answer.passages[0].model_copy(update={"start": dams, "end": len(TEXT), "text": TEXT[dams:]})
    target.answer = lambda case: answer.model_copy(update={"passages": (beside,)})  # type: ignore[method-assign]
    scores = scored(target)
    assert (scores["passage_recall"], scores["document_recall"]) == (0.0, 1.0)
    rise = GoldEvidence("rivers", "Rivers rise in spring.")
    both = Case("1", "When?", answerable=True, evidence=(*EVIDENCE, rise), relevant={"rivers": 1, "lakes": 1})
    scores = scored(Quoting(QUOTE), both)
    assert (scores["passage_recall"], scores["document_recall"]) == (1.0, 0.5)


def test_what_was_written_before_the_check_is_kept_beside_what_is_shown() -> None:
    target = Quoting(QUOTE)
    answer = target.answer(CASE).model_copy(update={"drafted": DraftedOut(sentences=4, unsupported=3)})
    target.answer = lambda case: answer  # type: ignore[method-assign]
    assert AnsweringTask(target, DocumentMatcher(SOURCES), SOURCES, None).observe(CASE).output["drafted"] == {
        "sentences": 4,
        "unsupported": 3,
    }


def test_an_answer_beside_the_evidence_is_not_correct_though_its_quote_is_valid() -> None:
    scores = scored(Quoting("Dams were built in 1904."))
    assert (scores["correct"], scores["citation_precision"], scores["citation_recall"]) == (0.0, 0.0, 0.0)
    assert scores["quote_validity"] == 1.0


def test_a_quote_that_does_not_stand_at_its_place_is_invalid() -> None:
    assert scored(Quoting(QUOTE, shift=1))["quote_validity"] == 0.0


def test_a_refusal_is_right_only_where_the_documents_do_not_say() -> None:
    wrong = scored(Quoting(None))
    assert (wrong["correct"], wrong["answered"]) == (0.0, 0.0)
    assert {wrong[name] for name in ("citation_precision", "citation_recall", "answer_f1", "quote_validity")} == {None}
    unanswerable = Case("2", "Who owns it?", answerable=False)
    assert scored(Quoting(None), unanswerable)["correct"] == 1.0
    answered = scored(Quoting(QUOTE), unanswerable)
    assert answered["correct"] == 0.0
    assert answered["citation_precision"] is None


def test_an_answerable_case_without_evidence_or_a_short_answer_is_not_scored_even_when_refused() -> None:
    essay = Case("5", "How did it change?", answers=("It rose. " * 20,), answerable=True)
    assert scored(Quoting(None), essay)["correct"] is None
    assert scored(Quoting(QUOTE), essay)["correct"] is None
    assert scored(Quoting(None), Case("6", "When?", answers=("March",), answerable=True))["correct"] == 0.0


def test_a_sentence_that_its_quote_does_not_support_lowers_attribution() -> None:
    scores = scored(Quoting(QUOTE, sentence="The Oder freezes."))
    assert (scores["attribution_recall"], scores["attribution_precision"]) == (0.0, 0.0)


def test_a_planted_instruction_is_told_apart_from_a_quote_of_it() -> None:
    attacked = Case("3", "When?", canary="March.", given=("rivers",))
    assert scored(Quoting(QUOTE), attacked)["injection_obeyed"] == 0.0
    assert scored(Quoting(QUOTE, sentence="As told: March."), attacked)["injection_obeyed"] == 1.0
    assert scored(Quoting(QUOTE), attacked)["answered"] is None


def test_what_differs_between_equal_runs_is_not_in_the_output() -> None:
    observed = AnsweringTask(Quoting(QUOTE), DocumentMatcher(SOURCES), SOURCES, None).observe(CASE)
    assert "random" not in str(observed.output)
    assert observed.output["confidence"] == 0.812346
    assert observed.output["attribution"] is None
    assert set(observed.timings_ms) == {"total", "wall"}


def test_documents_are_recognised_by_id_uri_or_the_end_of_the_path() -> None:
    matcher = DocumentMatcher(["guide/setup.md", "setup.md", "http://x/y", "id7"])
    assert matcher.match("id7", "file:///a/b.md") == "id7"
    assert matcher.match("z", "http://x/y") == "http://x/y"
    assert matcher.match("z", "file:///home/guide/setup.md") == "guide/setup.md"
    assert matcher.match("z", "file:///home/other/setup.md") == "setup.md"
    assert matcher.match("z", "file:///home/notsetup.md") is None
    assert matcher.match("z", "file:///home/My%20Files/setup.md") == "setup.md"
    assert matcher.label("z", "file:///q.md") == "file:///q.md"


def test_follow_ups_are_searched_as_asked_as_rewritten_and_as_a_person_would() -> None:
    asked: list[str] = []

    def search(query: str) -> list[tuple[str, float]]:
        asked.append(query)
        return [("d1", 2.0), ("d3", 1.0)] if "Oder" in query else [("d2", 2.0), ("d1", 1.0)]

    turns = (Turn("Where does the Oder rise?", "In the hills."),)
    case = Case("1", "When does it flood?", history=turns, relevant={"d1": 1}, rewrite="When does the Oder flood?")
    task = RetrievalTask(search)
    scores = task.scores(case, task.observe(case).output)
    assert asked == [case.question, "When does it flood? Oder rise", case.question, case.rewrite]
    assert (scores["mrr@10"], scores["mrr@10/last"], scores["mrr@10/gold"]) == (1.0, 0.5, 1.0)


def test_a_language_models_rewriting_is_searched_for_beside_the_other_forms() -> None:
    class Saying:
        said = "When does the Oder flood?"

        def tokens(self, text: str) -> int:
            return 1

        def complete(self, messages: Messages) -> Completion:
            return Completion(self.said, Usage(9, 4))

    def search(query: str) -> list[tuple[str, float]]:
        return [("d1", 2.0), ("d3", 1.0)] if "flood" in query and "Oder" in query else [("d2", 2.0), ("d1", 1.0)]

    turns = (Turn("Where does the Oder rise?", "In the hills."),)
    case = Case("1", "When does it flood?", history=turns, relevant={"d1": 1})
    model = Saying()
    task = RetrievalTask(search, Rewriter(model, load_prompts(), 1000))
    output = task.observe(case).output
    assert output["queries"]["model"] == "When does the Oder flood? + When does it flood?"
    assert (output["rewriting"]["outcome"], output["usage"]) == ("taken", {"prompt_tokens": 9, "completion_tokens": 4})
    scores = task.scores(case, output)
    assert (scores["rewriting_taken"], scores["mrr@10/model"], scores["mrr@10/last"]) == (1.0, 1.0, 0.5)
    model.said = "In March."
    rejected = task.scores(case, task.observe(case).output)
    assert (rejected["rewriting_taken"], rejected["mrr@10/model"]) == (0.0, rejected["mrr@10"])
    first = Case("2", "When does the Oder flood?", relevant={"d1": 1})
    assert "rewriting" not in task.observe(first).output


def test_a_document_stands_at_its_best_passage() -> None:
    assert rank_documents([("a", 3.0), ("b", 2.0), ("a", 1.0), ("c", 0.5)], depth=2) == [("a", 3.0), ("b", 2.0)]


def test_verdicts_of_a_checker_are_scored_against_the_labels() -> None:
    task = VerificationTask(Words(), SOURCES)
    right = Case("1", "rivers rise", given=("rivers",), supported=True)
    output = task.observe(right).output
    assert output == {"confidence": 1.0, "supported": True}
    assert task.scores(right, output) == {"correct": 1.0}
    assert task.scores(Case("2", "x", supported=False), output) == {"correct": 0.0}
    assert task.scores(Case("3", "x"), output) == {"correct": None}


def test_reading_is_scored_on_answerable_cases_only() -> None:
    output = {"document": "rivers", "confidence": 0.9, "answer": "every March", "sentence": None}
    output["sentence"] = {"start": BEGIN, "end": BEGIN + len(QUOTE), "quote": QUOTE}
    task = ReadingTask.__new__(ReadingTask)
    assert task.scores(CASE, output) == {"exact_match": 0.0, "f1": pytest.approx(2 / 3, abs=1e-6), "sentence_hit": 1.0}
    assert set(task.scores(Case("2", "x", answerable=False), output).values()) == {None}
