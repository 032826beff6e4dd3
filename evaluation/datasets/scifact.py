"""SciFact claim-evidence pairs: does this abstract, or its rationale, support the claim or contradict it?

Wadden et al. 2020, https://arxiv.org/abs/2004.14974. `path` is a folder with `evidence_*.json` and the `corpus.jsonl` whose
abstracts carry `sentences`. The evidence text of a pair is its rationale sentences, joined. Some copies of the corpus hold each
abstract as one sentence; rationales cannot be told apart there, so a pair is the claim and the whole abstract, once, and the
data set says so in its notes. SUPPORT is supported, CONTRADICT is not.
"""

from pathlib import Path

from evaluation.cases import Case, Dataset, Source
from evaluation.datasets.records import Record, json_lines, json_root
from evaluation.errors import DataInvalid

_LABELS = {"SUPPORT": True, "CONTRADICT": False}


def read(path: Path) -> Dataset:
    """The pairs of one folder. Raises DataInvalid with the line of the fault."""
    files = sorted(path.glob("evidence_*.json"))
    if len(files) != 1:
        raise DataInvalid(path, None, f"{len(files)} files named evidence_*.json", "Keep one in the folder")
    corpus = path / "corpus.jsonl"
    abstracts = {record.text("_id"): record for record in json_lines(corpus)}
    sources: dict[str, Source] = {}
    cases: dict[str, Case] = {}
    whole = 0
    for number, pair in enumerate(json_root(files[0]).children("")):
        document, label = pair.text("doc_id"), pair.text("label")
        if label not in _LABELS:
            raise pair.fault(f"label {label!r}", f"Use one of {', '.join(_LABELS)}")
        if document not in abstracts:
            raise pair.fault(f"unknown document {document!r}", "Add the document to corpus.jsonl, or remove the pair")
        sentences = abstracts[document].texts("sentences")
        unsplit = len(sentences) == 1
        whole += unsplit
        id = f"{pair.text('claim_id')}-{document}" + ("" if unsplit else f"-{number}")
        text = sentences[0] if unsplit else " ".join(sentences[i].strip() for i in _rationale(pair, len(sentences)))
        sources[id] = Source(id, abstracts[document].text("title", default=""), text)
        tags = {"label": label.lower()}
        cases[id] = Case(id=id, question=pair.text("claim"), given=(id,), supported=_LABELS[label], tags=tags)
    if not cases:
        raise DataInvalid(files[0], None, "no pair", "Put at least one claim in it")
    notes = (
        (f"{whole} rationales stand in abstracts of one sentence; the whole abstract is the evidence.",)
        if whole
        else ()
    )
    return Dataset(f"{path.name}-claims", "scifact", (files[0], corpus), tuple(cases.values()), sources, notes)


def _rationale(pair: Record, count: int) -> list[int]:
    chosen = pair.value.get("sentences")
    if not isinstance(chosen, list) or not chosen or not all(isinstance(i, int) and 0 <= i < count for i in chosen):
        raise pair.fault(f"'sentences' is {chosen!r}", f"List sentence numbers from 0 to {count - 1}")
    return chosen
