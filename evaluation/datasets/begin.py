"""BEGIN: a knowledge sentence and a reply that a model wrote from it; is the reply attributable to it?

Dziri et al. 2022, https://arxiv.org/abs/2105.00071. Tab-separated without quoting. "Fully attributable" is supported, "Not
fully attributable" is not; "Generic" replies claim nothing and are left out.
"""

from pathlib import Path

from evaluation.cases import Case, Dataset, Source
from evaluation.datasets.records import text_lines
from evaluation.errors import DataInvalid

_COLUMNS = ("model_name", "data_source", "knowledge", "message", "response", "begin_label")
_LABELS = {"Fully attributable": True, "Not fully attributable": False}
_GENERIC = "Generic"


def read(path: Path) -> Dataset:
    """The pairs of one file. Raises DataInvalid with the line of the fault."""
    sources: dict[str, Source] = {}
    cases = []
    generic = 0
    for line, text in text_lines(path):
        columns = text.split("\t")
        if line == 1:
            if tuple(columns) != _COLUMNS:
                raise DataInvalid(path, 1, f"the header is {columns!r}", f"Name the columns {', '.join(_COLUMNS)}")
            continue
        if len(columns) != len(_COLUMNS):
            raise DataInvalid(
                path, line, f"{len(columns)} columns instead of {len(_COLUMNS)}", "Put one tab between columns"
            )
        model, _, knowledge, _, response, label = (column.strip() for column in columns)
        if label == _GENERIC:
            generic += 1
            continue
        if label not in _LABELS:
            raise DataInvalid(path, line, f"label {label!r}", f"Use one of {', '.join((*_LABELS, _GENERIC))}")
        if not knowledge or not response:
            raise DataInvalid(path, line, "an empty 'knowledge' or 'response'", "Give both a text, or remove the line")
        id = f"line-{line}"
        sources[id] = Source(id, "", knowledge)
        cases.append(Case(id=id, question=response, given=(id,), supported=_LABELS[label], tags={"model": model}))
    if not cases:
        raise DataInvalid(path, None, "no labelled reply", "Put at least one record under the header")
    notes = (f"{generic} generic replies left out: they claim nothing.",) if generic else ()
    return Dataset(path.stem, "begin", (path,), tuple(cases), sources, notes)
