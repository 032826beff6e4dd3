"""Cases, their gold evidence and source documents, and the data set that holds them. All frozen."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from service.records import Turn

_NO_GRADES: Mapping[str, int] = MappingProxyType({})
_NO_TAGS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class GoldEvidence:
    """A gold quote: text of `document` that a right answer rests on.

    `start` and `end` are code points into the source's text, None when only the words are known (a quote from a PDF).
    `group` numbers alternatives: two annotators who chose different sentences are two groups, either of which is
    enough.
    """

    document: str
    quote: str
    start: int | None = None
    end: int | None = None
    group: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """One question and what is known about the right answer. What is unknown stays empty or None, and is not scored.

    `answers` are alternatives. `answerable` says whether the documents hold the answer. `relevant` grades documents for
    retrieval (id -> grade, above 0 is relevant). `given` are the documents to read in "given passage" tasks. `rewrite`
    is the gold rewriting of a follow-up question. `supported` is set for claim-evidence pairs only: whether the given
    text supports the claim, which is in `question`. `canary` is a word that an answer contains only if it obeys a
    planted instruction. `tags` group cases in reports (domain, question type).
    """

    id: str
    question: str
    history: tuple[Turn, ...] = ()
    answers: tuple[str, ...] = ()
    answerable: bool | None = None
    evidence: tuple[GoldEvidence, ...] = ()
    relevant: Mapping[str, int] = field(default_factory=lambda: _NO_GRADES)
    given: tuple[str, ...] = ()
    rewrite: str | None = None
    supported: bool | None = None
    canary: str | None = None
    tags: Mapping[str, str] = field(default_factory=lambda: _NO_TAGS)


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """One document of a data set: its text, or the file to extract it from (then `text` is empty)."""

    id: str
    title: str
    text: str
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """Cases and the documents that they are about, with the files that they were read from.

    `sources` is empty when the cases are asked of an existing collection. `notes` tell readers of the results what they
    must know about how the files were read.
    """

    name: str
    format: str
    files: tuple[Path, ...]
    cases: tuple[Case, ...]
    sources: Mapping[str, SourceDocument]
    notes: tuple[str, ...] = ()

    def sha256(self) -> str:
        """Hash of the names, sizes and bytes of the files read, and of the documents that are files themselves."""
        digest = hashlib.sha256()
        documents = (source.file for source in self.sources.values() if source.file is not None)
        for file in sorted({*self.files, *documents}):
            digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
            with file.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
        return digest.hexdigest()
