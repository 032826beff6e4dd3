"""WiCE: claims of Wikipedia with sentences of the web page they cite.

Kamoi et al. 2023, https://arxiv.org/abs/2303.01432. The evidence text of a pair is the first gold set of supporting
sentences. A claim without one (label not_supported) gets the five consecutive sentences that share most words with the claim,
which is what a retriever would show. Supported means fully supported; partially_supported counts as not supported, and stays
visible as a tag.
"""

import re
from pathlib import Path

from evaluation.cases import Case, Dataset, Source
from evaluation.datasets.records import Ids, Record, json_lines

_LABELS = {"supported": True, "partially_supported": False, "not_supported": False}
_WINDOW = 5


def read(path: Path) -> Dataset:
    """The pairs of one JSON lines file. Raises DataInvalid with the line of the fault."""
    ids = Ids("claim")
    sources: dict[str, Source] = {}
    cases = []
    for record in json_lines(path):
        label = record.text("label")
        if label not in _LABELS:
            raise record.fault(f"label {label!r}", f"Use one of {', '.join(_LABELS)}")
        meta = record.value.get("meta")
        if not isinstance(meta, dict):
            raise record.fault("no 'meta' object", "Give the record its 'meta' with an 'id'")
        id = ids.add(Record(meta, record.file, record.line).text("id"), record)
        claim = record.text("claim")
        sources[id] = Source(id, "", _premise(record, claim))
        cases.append(Case(id=id, question=claim, given=(id,), supported=_LABELS[label], tags={"label": label}))
    return Dataset(path.stem, "wice", (path,), tuple(cases), sources)


def _premise(record: Record, claim: str) -> str:
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
    windows = [evidence[i : i + _WINDOW] for i in range(max(1, len(evidence) - _WINDOW + 1))]
    return " ".join(max(windows, key=lambda window: len(words & _words(" ".join(window)))))


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))
