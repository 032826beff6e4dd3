"""Damaged files of every format become a document with valid offsets, or are rejected. Nothing crashes or hangs.

Damage: flipped bits, cut ends, inserted pieces of other files; the same files on every run. For a longer run, set the number
of rounds: `FUZZ_ROUNDS=500 python -m pytest tests/test_fuzz.py --timeout 0`. A round damages one file of each format.
"""

import os
import random
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from index.chunking.chunker import chunk_document
from index.embedding.encoder import HashedEncoder
from index.extraction.contents import Contents, read_contents
from index.extraction.extractor import Extractor
from index.formats.canonical import canonical
from index.formats.limits import Limits
from index.records import Document
from tests.test_formats import CONTAINERS, FILES

ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "4"))
LIMITS = Limits(seconds=20, memory_bytes=2**30, recognition_seconds=1)
MAKERS = {**FILES, **{suffix: make for suffix, (make, _) in CONTAINERS.items()}}


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor(LIMITS, workers=2) as extractor:
        yield extractor


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("originals")
    for suffix, make in MAKERS.items():
        make(folder / f"a{suffix}")
    return {suffix: (folder / f"a{suffix}").read_bytes() for suffix in MAKERS}


def damage(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """The file with one kind of damage. Its first bytes are often kept so that a parser accepts it."""
    found = bytearray(data)
    first = chance.choice((0, min(8, len(found) - 1)))
    kind = chance.randrange(4)
    if kind == 0:
        for _ in range(chance.choice((1, 3, 30))):
            found[chance.randrange(first, len(found))] ^= 1 << chance.randrange(8)
    elif kind == 1:
        del found[chance.randrange(first, len(found)) :]
    elif kind == 2:
        other = chance.choice(others)
        start, place = chance.randrange(len(other)), chance.randrange(first, len(found))
        found[place : place + chance.choice((0, 50))] = other[start : start + chance.randrange(1, 2000)]
    else:
        start = chance.randrange(first, len(found))
        found[start:start] = found[start : start + chance.randrange(1, 200)] * chance.choice((1, 100))
    return bytes(found)


def check_invariants(document: Document) -> None:
    """Check the invariants of offsets, pages, sections and chunks."""
    text = document.text
    assert text == canonical(text)
    assert text.encode().decode() == text
    assert document.title
    assert "\n" not in document.title
    document.title.encode()
    ends = [(page.start, page.end) for page in document.pages]
    assert all(0 <= start <= end <= len(text) for start, end in ends)
    assert ends == sorted(ends)
    starts = [section.start for section in document.sections]
    assert starts == sorted(starts)
    assert all(
        0 <= start <= len(text) and section.trail for start, section in zip(starts, document.sections, strict=True)
    )
    chunks = chunk_document(document, HashedEncoder().token_offsets)
    assert all(text[one.start : one.end] == one.text for one in chunks)
    assert all(before.end <= after.start for before, after in pairwise(chunks))


def read(extractor: Extractor, path: Path) -> Contents:
    started = time.monotonic()
    found = read_contents(extractor, path, uri=path.as_uri())
    assert time.monotonic() - started < LIMITS.seconds + 40
    return found


@pytest.mark.parametrize("suffix", MAKERS)
def test_a_damaged_file_is_a_document_or_a_rejection(
    suffix: str, tmp_path: Path, extractor: Extractor, originals: dict[str, bytes]
) -> None:
    chance = random.Random(suffix)
    path = tmp_path / f"a{suffix}"
    for _ in range(ROUNDS):
        path.write_bytes(damage(originals[suffix], list(originals.values()), chance))
        found = read(extractor, path)
        assert found.documents or found.rejected or found.source is not None
        assert all(error.reason and error.fix and error.uri.startswith(path.as_uri()) for error in found.rejected)
        for document in found.documents:
            check_invariants(document)
    path.write_bytes(originals[suffix])
    assert read(extractor, path).documents  # the parsers still work afterwards
