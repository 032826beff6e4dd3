"""SQuAD-form JSON (SQuAD 1.1 and 2, SQuADShifts, PolicyQA, COVID-QA): articles -> paragraphs -> questions with answer
spans.

Rajpurkar et al. 2016 (https://arxiv.org/abs/1606.05250) and 2018 (https://arxiv.org/abs/1806.03822). Each paragraph
becomes a document. The gold evidence of an answer is the sentence (or sentences) that contain its span. Published files
have spans that are off by the white space around them (COVID-QA: 1 to 3 characters); those are corrected and counted,
others are errors.
"""

from collections.abc import Sequence
from pathlib import Path

from evaluation.cases import Case, Dataset, GoldEvidence, SourceDocument
from evaluation.datasets.records import DataRecord, UniqueIds, json_root
from index.blocks.block import Span
from index.chunking.sentences import sentence_spans

_SLACK = 3


def read(path: Path) -> Dataset:
    """The data set in a SQuAD-form file. Raises DataInvalid with the line at fault."""
    articles = json_root(path).children("data")
    ids = UniqueIds("question")
    sources: dict[str, SourceDocument] = {}
    cases: list[Case] = []
    moved = 0
    for number, article in enumerate(articles):
        title = article.text("title", default="")
        for position, paragraph in enumerate(article.children("paragraphs")):
            source = SourceDocument(f"{number}-{position}", title, paragraph.text("context"))
            sources[source.id] = source
            sentences = sentence_spans(source.text)
            for record in paragraph.children("qas"):
                spans, shifted = _spans(record, source.text)
                moved += shifted
                cases.append(_case(record, ids, spans, source, sentences))
    if not cases:
        raise json_root(path).fault("the set has no question", "Name a file with at least one entry under 'qas'")
    notes = [f"{moved} answer spans missed by white space were set right."] if moved else []
    shared = _count_shared(cases)
    if shared:
        notes.append(
            f"{shared:,} of {len(cases):,} questions are asked of more than one passage. Over the whole corpus only the gold "
            "of their own passage would count: read the given passage instead (--task read)."
        )
    return Dataset(path.stem, "squad", (path,), tuple(cases), sources, tuple(notes))


def _count_shared(cases: Sequence[Case]) -> int:
    """How many questions are asked, word for word, of several passages."""
    passages: dict[str, set[str]] = {}
    for case in cases:
        passages.setdefault(case.question.casefold(), set()).update(case.given)
    return sum(len(passages[case.question.casefold()]) > 1 for case in cases)


def _spans(record: DataRecord, context: str) -> tuple[dict[Span, str], int]:
    """The distinct answer spans with their texts, and how many were corrected."""
    spans: dict[Span, str] = {}
    moved = 0
    for answer in record.children("answers", required=False):
        text, start = answer.text("text").strip(), answer.number("answer_start")
        near = max(0, start - _SLACK)
        place = start if context.startswith(text, start) else context.find(text, near, start + len(text) + _SLACK)
        if start < 0 or place < 0:
            raise answer.fault(
                f"the answer {text!r} is not at {start} of the context, where {context[max(0, start) :][: len(text)]!r} is",
                "Count 'answer_start' in characters of 'context'",
            )
        moved += place != start
        spans[Span(place, place + len(text))] = text
    return spans, moved


def _case(
    record: DataRecord, ids: UniqueIds, spans: dict[Span, str], source: SourceDocument, sentences: list[Span]
) -> Case:
    id = ids.add(record.text("id"), record)
    answerable = not record.flag("is_impossible", default=not spans)
    if answerable and not spans:
        raise record.fault("an answerable question without an answer", "Add 'answers', or set 'is_impossible' to true")
    if not answerable:
        spans = {}
    evidence = tuple(
        GoldEvidence(source.id, source.text[covering.start : covering.end], covering.start, covering.end, group)
        for group, covering in enumerate(dict.fromkeys(_covering_sentences(span, sentences) for span in spans))
    )
    return Case(
        id=id,
        question=record.text("question"),
        answers=tuple(dict.fromkeys(spans.values())),
        answerable=answerable,
        evidence=evidence,
        relevant={source.id: 1} if answerable else {},
        given=(source.id,),
    )


def _covering_sentences(span: Span, sentences: list[Span]) -> Span:
    """The run of whole sentences that contains a span; the span itself where there is no sentence."""
    touched = [sentence for sentence in sentences if sentence.start < span.end and span.start < sentence.end]
    start = min([span.start, *(sentence.start for sentence in touched)])
    return Span(start, max([span.end, *(sentence.end for sentence in touched)]))
