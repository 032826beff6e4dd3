"""Question tables over files: `qa.jsonl` beside `docs/`, as in the 10-Q question set of Docugami's KG-RAG data (MIT).

Each record has `Question`, `Answer`, `Source Docs` (a pattern such as `*AAPL*` over the file names) and `Question
Type`. The files are extracted with Quoth's own extraction, so the whole path from PDF to answer is measured. The table
does not say whether the documents hold the answer (some of its answers say that they do not), nor where, so
`answerable` and evidence are unknown. Its answers name their sources in brackets and in a last line; those names are
not part of the answer.
"""

import re
from fnmatch import fnmatch
from pathlib import Path

from evaluation.cases import Case, Dataset, SourceDocument
from evaluation.datasets.records import json_lines
from evaluation.errors import DataInvalid

_SOURCES = re.compile(r"\s*\((?:SOURCE:\s*)?\"?[^()\"]{1,80}\.pdf\"?\)|\s*SOURCE\(?S?\)?:[^\n]*")


def read(path: Path) -> Dataset:
    """The data set in a folder. Raises DataInvalid with the line at fault."""
    table, folder = path / "qa.jsonl", path / "docs"
    files = sorted(file for file in folder.glob("*") if file.is_file()) if folder.is_dir() else []
    if not files:
        raise DataInvalid(folder, None, "no document", "Put the files that the questions are about into docs/")
    sources = {file.name: SourceDocument(file.name, file.stem, "", file) for file in files}
    cases = []
    for record in json_lines(table):
        pattern = record.text("Source Docs")
        relevant = {name: 1 for name in sources if fnmatch(Path(name).stem, pattern) or fnmatch(name, pattern)}
        if not relevant:
            raise record.fault(f"no file in docs/ matches {pattern!r}", f"The files are: {', '.join(sources)}")
        cases.append(
            Case(
                id=f"line-{record.line}",
                question=record.text("Question"),
                answers=(_SOURCES.sub("", record.text("Answer")).strip(),),
                relevant=relevant,
                tags={"type": record.text("Question Type", default="unknown")},
            )
        )
    return Dataset(path.name, "filings", (table,), tuple(cases), sources)
