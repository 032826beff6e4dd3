"""Files made to do harm: entities that multiply or read other files, nesting without end."""

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from index.errors import DocumentRejected
from index.extraction import Extractor, Limits
from tests.test_formats import FILES

SECRET = "The secret word is xylophone."
LIMITS = Limits(seconds=30, memory_bytes=400 * 2**20, characters=2_000_000)


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor(LIMITS, workers=1) as extractor:
        yield extractor


def outcome(extractor: Extractor, path: Path) -> str:
    """The text of the file, or the reason why there is none."""
    try:
        return extractor.extract(path).document.text
    except DocumentRejected as error:
        return error.reason


def rewritten(path: Path, member: str, change: Callable[[str], str]) -> None:
    """Change one part of a zipped document."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[member] = change(parts[member].decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


PARTS = {
    ".docx": "word/document.xml",
    ".pptx": "ppt/slides/slide1.xml",
    ".xlsx": "xl/worksheets/sheet1.xml",
    ".odt": "content.xml",
    ".ods": "content.xml",
    ".epub": "a.xhtml",
}
"""The part of each zipped format that holds the text."""


def with_doctype(source: str, entities: str, root: str) -> str:
    declaration, rest = (
        (source[: source.index("?>") + 2], source[source.index("?>") + 2 :]) if "?>" in source else ("", source)
    )
    return f"{declaration}<!DOCTYPE {root} [{entities}]>{rest.replace('Bridges', '&bomb;').replace('Notes', '&bomb;')}"


def laughing(path: Path, suffix: str) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    _poisoned(path, suffix, f'<!ENTITY l0 "lol">{laughs}<!ENTITY bomb "&l9;">')


def reading(path: Path, suffix: str, target: Path) -> None:
    _poisoned(path, suffix, f'<!ENTITY bomb SYSTEM "{target.as_uri()}">')


def _poisoned(path: Path, suffix: str, entities: str) -> None:
    FILES[suffix](path)
    if suffix in PARTS:
        rewritten(path, PARTS[suffix], lambda source: with_doctype(source, entities, "x"))
    else:
        path.write_text(with_doctype(path.read_text(encoding="utf-8"), entities, "x"), encoding="utf-8")


@pytest.mark.parametrize("suffix", [*PARTS, ".fb2", ".xhtml", ".xml"])
def test_entities_neither_multiply_nor_read_other_files(suffix: str, tmp_path: Path, extractor: Extractor) -> None:
    path = tmp_path / f"a{suffix}"
    laughing(path, suffix)
    found = outcome(extractor, path)
    assert found.count("lol") < 10_000
    (tmp_path / "secret.txt").write_text(SECRET)
    reading(path, suffix, tmp_path / "secret.txt")
    assert "xylophone" not in outcome(extractor, path)
    FILES[suffix](path)
    assert "1932" in outcome(extractor, path)  # the reader is still there


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", "<div>" * 200_000 + "Deep."),
        ("a.html", "<table><tr><td>" * 50_000 + "Deep."),
        ("a.ipynb", '{"cells": ' + "[" * 100_000),
        ("a.eml", "Content-Type: multipart/mixed; boundary=a\n\n--a\n" * 2000),
        ("a.md", "#" * 1_000_000 + "\n" + ">" * 500_000 + "\n" + "[" * 500_000),
        ("a.rtf", r"{\rtf1 " + "{" * 200_000 + "Deep."),
        ("a.json", json.dumps({"a": "x"}) + "[" * 500_000),
    ],
)  # fmt: skip
def test_nesting_without_end_ends(name: str, content: str, tmp_path: Path, extractor: Extractor) -> None:
    (tmp_path / name).write_text(content)
    outcome(extractor, tmp_path / name)
    (tmp_path / "good.txt").write_text("Good.")
    assert outcome(extractor, tmp_path / "good.txt") == "Good."
