"""An export holds the whole collection; a damaged one is refused by name and leaves nothing behind."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.embedding.encoder import HashedEncoder
from index.errors import CollectionExists, CollectionNameInvalid, EncoderMismatch, ExportUnreadable, ExportUnwritable
from index.library import Library
from index.maintenance.export import unpack_export
from index.records import Document, Page

HR = frozenset({"hr"})
OLD = Document("d", "v1", "file:///d", "D", "text/plain", "Apples fall.", pages=(Page(1, 0, 12),), principals=HR)
NEW = Document(
    "d", "v2", "file:///d", "D", "text/plain", "Apples grow on trees.", metadata={"author": "Ann"}, principals=HR
)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path / "here", HashedEncoder())
    collection = library.open_or_create("papers")
    collection.add(OLD)
    collection.add(NEW)
    collection.embed_pending()
    yield library
    library.close()


@pytest.fixture
def other_library(tmp_path: Path) -> Iterator[Library]:
    """A library in another home."""
    library = Library(tmp_path / "there", HashedEncoder())
    yield library
    library.close()


@pytest.fixture
def export_file(library: Library, tmp_path: Path) -> Path:
    library.open("papers").export(tmp_path / "papers.quoth")
    return tmp_path / "papers.quoth"


def leftover_files(tmp_path: Path) -> list[str]:
    folder = tmp_path / "there" / "collections"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_an_import_restores_what_was_exported_without_encoding(
    library: Library, export_file: Path, tmp_path: Path
) -> None:
    encoder = HashedEncoder()
    other_library = Library(tmp_path / "there", encoder)
    assert other_library.import_from(export_file) == "papers"
    imported, original = other_library.open("papers"), library.open("papers")
    assert imported.documents.list() == original.documents.list()
    assert (imported.documents.get("d"), imported.documents.get("d", "v1")) == (NEW, OLD)
    assert imported.verify() == []
    assert encoder.encoded == 0
    assert imported.search("apples trees") == original.search("apples trees")
    imported.add(Document("e", "v", "file:///e", "E", "text/plain", "Bears eat honey."))
    imported.embed_pending()
    assert imported.search("honey", k=1)[0].chunk.document_id == "e"
    other_library.close()


def test_an_export_is_one_file_that_describes_its_content(export_file: Path) -> None:
    assert [path.name for path in export_file.parent.glob("papers*")] == ["papers.quoth"]
    with zipfile.ZipFile(export_file) as archive:
        assert archive.namelist() == ["manifest.json", "ledger.sqlite"]
        manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["name"], manifest["documents"], manifest["chunks"]) == ("papers", 1, 1)


def test_an_export_never_replaces_a_file(library: Library, export_file: Path, tmp_path: Path) -> None:
    before = export_file.read_bytes()
    with pytest.raises(ExportUnwritable, match=r"papers\.quoth is already there"):
        library.open("papers").export(export_file)
    assert export_file.read_bytes() == before
    with pytest.raises(ExportUnwritable, match="no/papers"):
        library.open("papers").export(tmp_path / "no" / "papers.quoth")


def test_a_taken_or_bad_name_is_refused_and_another_can_be_given(other_library: Library, export_file: Path) -> None:
    other_library.import_from(export_file)
    with pytest.raises(CollectionExists, match="'papers'"):
        other_library.import_from(export_file)
    with pytest.raises(CollectionNameInvalid):
        other_library.import_from(export_file, "../papers")
    assert other_library.import_from(export_file, "again") == "again"
    assert other_library.names() == ["again", "papers"]


def test_another_encoder_is_refused_and_nothing_is_left_behind(export_file: Path, tmp_path: Path) -> None:
    with pytest.raises(EncoderMismatch):
        Library(tmp_path / "there", HashedEncoder(32)).import_from(export_file)
    assert leftover_files(tmp_path) == []


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_an_export_cut_short_is_refused(
    share: float, other_library: Library, export_file: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.quoth"
    data = export_file.read_bytes()
    cut.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ExportUnreadable, match=r"cut\.quoth is damaged"):
        other_library.import_from(cut)
    assert leftover_files(tmp_path) == []


def test_a_flipped_byte_is_refused_unless_the_ledger_comes_out_the_same(export_file: Path, tmp_path: Path) -> None:
    data, flipped, ledger = export_file.read_bytes(), tmp_path / "flipped.quoth", tmp_path / "ledger"
    unpack_export(export_file, ledger)
    whole, refused = ledger.read_bytes(), 0
    places = range(0, len(data), 29)
    for place in places:
        flipped.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        ledger.unlink(missing_ok=True)
        try:
            unpack_export(flipped, ledger)
        except ExportUnreadable:
            refused += 1
            assert not ledger.exists()
        else:
            assert ledger.read_bytes() == whole
    assert refused > 0.8 * len(places)


def test_an_exchanged_ledger_is_refused(other_library: Library, export_file: Path, tmp_path: Path) -> None:
    forged = tmp_path / "forged.quoth"
    with zipfile.ZipFile(export_file) as archive, zipfile.ZipFile(forged, "w") as target:
        target.writestr("manifest.json", archive.read("manifest.json"))
        target.writestr("ledger.sqlite", archive.read("ledger.sqlite")[:-4096])
    with pytest.raises(ExportUnreadable, match=r"forged\.quoth is damaged: its ledger has checksum"):
        other_library.import_from(forged)
    assert leftover_files(tmp_path) == []


def test_a_file_that_is_not_an_export_is_refused(other_library: Library, tmp_path: Path) -> None:
    with pytest.raises(ExportUnreadable, match="is not there"):
        other_library.import_from(tmp_path / "missing")
    with pytest.raises(ExportUnreadable, match="cannot be read"):
        other_library.import_from(tmp_path)
    (tmp_path / "text").write_text("No zip.")
    with pytest.raises(ExportUnreadable, match="damaged or no export"):
        other_library.import_from(tmp_path / "text")
    with zipfile.ZipFile(tmp_path / "later", "w") as archive:
        archive.writestr("manifest.json", '{"format": 2}')
    with pytest.raises(ExportUnreadable, match="has format 2, this version reads 1"):
        other_library.import_from(tmp_path / "later")


def test_a_full_collection_of_another_encoder_can_still_be_dropped(library: Library, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "here", tmp_path / "copy")
    other = Library(tmp_path / "copy", HashedEncoder(32))
    other.drop("papers")
    assert other.names() == []
