"""ClapNQ: long-form questions over Wikipedia passages, with the sentences an answer needs; half cannot be answered.

Rosenthal et al. 2024, https://arxiv.org/abs/2404.02103. `path` is a folder with `answerable.jsonl` and
`unanswerable.jsonl` (or one such file). Each passage becomes a document. Each annotator's choice of sentences is one
group of evidence.
"""

from pathlib import Path

from evaluation.cases import Case, Dataset, GoldEvidence, SourceDocument
from evaluation.datasets.records import DataRecord, UniqueIds, json_lines
from evaluation.errors import DataInvalid


def read(path: Path) -> Dataset:
    """The data set in a folder or file. Raises DataInvalid with the line at fault."""
    files = tuple(sorted(path.glob("*.jsonl"))) if path.is_dir() else (path,)
    if not files:
        raise DataInvalid(path, None, "no .jsonl file in the folder", "Name the folder that holds answerable.jsonl")
    ids = UniqueIds("question")
    sources: dict[str, SourceDocument] = {}
    by_text: dict[tuple[str, str], SourceDocument] = {}
    cases = []
    for file in files:
        for record in json_lines(file):
            given = []
            for passage in record.children("passages"):
                title, text = passage.text("title", default=""), passage.text("text")
                source = by_text.setdefault((title, text), SourceDocument(f"passage-{len(by_text) + 1}", title, text))
                sources[source.id] = source
                given.append(source)
            if not given:
                raise record.fault("no passage", "Give the question at least one passage")
            cases.append(_case(record, given, ids))
    return Dataset(path.stem, "clapnq", files, tuple(cases), sources)


def _case(record: DataRecord, given: list[SourceDocument], ids: UniqueIds) -> Case:
    id = ids.add(record.text("id"), record)
    answers: list[str] = []
    evidence: list[GoldEvidence] = []
    for group, output in enumerate(record.children("output")):
        answer = output.text("answer", default="").strip()
        if not answer:
            continue
        answers.append(answer)
        evidence += [_locate(sentence, given, group, output) for sentence in output.texts("selected_sentences")]
    answerable = bool(answers)
    return Case(
        id=id,
        question=record.text("input"),
        answers=tuple(dict.fromkeys(answers)),
        answerable=answerable,
        evidence=tuple(evidence),
        relevant={source.id: 1 for source in given} if answerable else {},
        given=tuple(source.id for source in given),
    )


def _locate(sentence: str, given: list[SourceDocument], group: int, record: DataRecord) -> GoldEvidence:
    for source in given:
        start = source.text.find(sentence)
        if start >= 0:
            return GoldEvidence(source.id, sentence, start, start + len(sentence), group)
    raise record.fault(
        f"the selected sentence {sentence[:60]!r} stands in none of the passages", "Copy the sentence from a passage"
    )
