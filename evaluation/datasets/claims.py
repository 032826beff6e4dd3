"""Sets of claims with evidence, for the support checker: SciFact, WiCE and BEGIN."""

import re
from pathlib import Path

from evaluation.cases import Case, Dataset, SourceDocument
from evaluation.datasets.records import DataRecord, UniqueIds, json_lines, json_root, text_lines
from evaluation.errors import DataInvalid

_SCIFACT_LABELS = {"SUPPORT": True, "CONTRADICT": False}
_WICE_LABELS = {"supported": True, "partially_supported": False, "not_supported": False}
_WICE_WINDOW = 5
_BEGIN_COLUMNS = ("model_name", "data_source", "knowledge", "message", "response", "begin_label")
_BEGIN_LABELS = {"Fully attributable": True, "Not fully attributable": False}
_BEGIN_GENERIC = "Generic"


def read_scifact(path: Path) -> Dataset:
    """SciFact: does this abstract, or its rationale, support the claim or contradict it?

    Wadden et al. 2020, https://arxiv.org/abs/2004.14974. `path` is a folder with `evidence_*.json` and the
    `corpus.jsonl` whose abstracts have `sentences`. The evidence text of a pair is its rationale sentences, joined.
    Some copies of the corpus hold each abstract as one sentence; rationales cannot be separated there, so a pair is the
    claim with the whole abstract, once, and a note of the data set says so. SUPPORT is supported, CONTRADICT is not.
    Raises DataInvalid with the line at fault.
    """
    files = sorted(path.glob("evidence_*.json"))
    if len(files) != 1:
        raise DataInvalid(path, None, f"{len(files)} files named evidence_*.json", "Keep one in the folder")
    corpus = path / "corpus.jsonl"
    abstracts = {record.text("_id"): record for record in json_lines(corpus)}
    sources: dict[str, SourceDocument] = {}
    cases: dict[str, Case] = {}
    whole = 0
    for number, pair in enumerate(json_root(files[0]).children("")):
        document, label = pair.text("doc_id"), pair.text("label")
        if label not in _SCIFACT_LABELS:
            raise pair.fault(f"label {label!r}", f"Use one of {', '.join(_SCIFACT_LABELS)}")
        if document not in abstracts:
            raise pair.fault(f"unknown document {document!r}", "Add the document to corpus.jsonl, or remove the pair")
        sentences = abstracts[document].texts("sentences")
        unsplit = len(sentences) == 1
        whole += unsplit
        id = f"{pair.text('claim_id')}-{document}" + ("" if unsplit else f"-{number}")
        text = (
            sentences[0]
            if unsplit
            else " ".join(sentences[i].strip() for i in _rationale_sentences(pair, len(sentences)))
        )
        sources[id] = SourceDocument(id, abstracts[document].text("title", default=""), text)
        tags = {"label": label.lower()}
        cases[id] = Case(id=id, question=pair.text("claim"), given=(id,), supported=_SCIFACT_LABELS[label], tags=tags)
    if not cases:
        raise DataInvalid(files[0], None, "no pair", "Put at least one claim in it")
    notes = (
        (f"{whole} rationales stand in abstracts of one sentence; the whole abstract is the evidence.",)
        if whole
        else ()
    )
    return Dataset(f"{path.name}-claims", "scifact", (files[0], corpus), tuple(cases.values()), sources, notes)


def _rationale_sentences(pair: DataRecord, count: int) -> list[int]:
    chosen = pair.value.get("sentences")
    if not isinstance(chosen, list) or not chosen or not all(isinstance(i, int) and 0 <= i < count for i in chosen):
        raise pair.fault(f"'sentences' is {chosen!r}", f"List sentence numbers from 0 to {count - 1}")
    return chosen


def read_wice(path: Path) -> Dataset:
    """WiCE: claims of Wikipedia with sentences of the web page that they cite, in a JSON lines file.

    Kamoi et al. 2023, https://arxiv.org/abs/2303.01432. The evidence text of a pair is the first gold set of supporting
    sentences. A claim without one (label not_supported) gets the five consecutive sentences that share most words with
    the claim, which is what a retriever would show. Supported means fully supported; partially_supported counts as not
    supported and remains visible as a tag. Raises DataInvalid with the line at fault.
    """
    ids = UniqueIds("claim")
    sources: dict[str, SourceDocument] = {}
    cases = []
    for record in json_lines(path):
        label = record.text("label")
        if label not in _WICE_LABELS:
            raise record.fault(f"label {label!r}", f"Use one of {', '.join(_WICE_LABELS)}")
        meta = record.value.get("meta")
        if not isinstance(meta, dict):
            raise record.fault("no 'meta' object", "Give the record its 'meta' with an 'id'")
        id = ids.add(DataRecord(meta, record.file, record.line).text("id"), record)
        claim = record.text("claim")
        sources[id] = SourceDocument(id, "", _wice_evidence(record, claim))
        cases.append(Case(id=id, question=claim, given=(id,), supported=_WICE_LABELS[label], tags={"label": label}))
    return Dataset(path.stem, "wice", (path,), tuple(cases), sources)


def _wice_evidence(record: DataRecord, claim: str) -> str:
    evidence = record.texts("evidence")
    if not evidence:
        raise record.fault("'evidence' is empty", "Give the claim at least one sentence")
    gold = record.value.get("supporting_sentences") or []
    if gold:
        chosen = gold[0] if isinstance(gold, list) else gold
        if not isinstance(chosen, list) or not all(isinstance(i, int) and 0 <= i < len(evidence) for i in chosen):
            raise record.fault(f"supporting set {chosen!r}", f"List sentence numbers from 0 to {len(evidence) - 1}")
        return " ".join(evidence[i] for i in chosen)
    words = _words(claim)
    windows = [evidence[i : i + _WICE_WINDOW] for i in range(max(1, len(evidence) - _WICE_WINDOW + 1))]
    return " ".join(max(windows, key=lambda window: len(words & _words(" ".join(window)))))


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def read_begin(path: Path) -> Dataset:
    """BEGIN: a knowledge sentence and a reply that a model wrote from it; is the reply attributable to it?

    Dziri et al. 2022, https://arxiv.org/abs/2105.00071. A tab-separated file without quoting. "Fully attributable" is
    supported, "Not fully attributable" is not; "Generic" replies claim nothing and are left out. Raises DataInvalid
    with the line at fault.
    """
    sources: dict[str, SourceDocument] = {}
    cases = []
    generic = 0
    for line, text in text_lines(path):
        columns = text.split("\t")
        if line == 1:
            if tuple(columns) != _BEGIN_COLUMNS:
                raise DataInvalid(
                    path, 1, f"the header is {columns!r}", f"Name the columns {', '.join(_BEGIN_COLUMNS)}"
                )
            continue
        if len(columns) != len(_BEGIN_COLUMNS):
            raise DataInvalid(
                path, line, f"{len(columns)} columns instead of {len(_BEGIN_COLUMNS)}", "Put one tab between columns"
            )
        model, _, knowledge, _, response, label = (column.strip() for column in columns)
        if label == _BEGIN_GENERIC:
            generic += 1
            continue
        if label not in _BEGIN_LABELS:
            raise DataInvalid(
                path, line, f"label {label!r}", f"Use one of {', '.join((*_BEGIN_LABELS, _BEGIN_GENERIC))}"
            )
        if not knowledge or not response:
            raise DataInvalid(path, line, "an empty 'knowledge' or 'response'", "Give both a text, or remove the line")
        id = f"line-{line}"
        sources[id] = SourceDocument(id, "", knowledge)
        cases.append(Case(id=id, question=response, given=(id,), supported=_BEGIN_LABELS[label], tags={"model": model}))
    if not cases:
        raise DataInvalid(path, None, "no labelled reply", "Put at least one record under the header")
    notes = (f"{generic} generic replies left out: they claim nothing.",) if generic else ()
    return Dataset(path.stem, "begin", (path,), tuple(cases), sources, notes)
