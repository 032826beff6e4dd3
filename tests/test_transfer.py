"""An export holds everything that a collection is; a damaged one is refused by name and leaves nothing behind."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.embedding.hashing import HashedEncoder
from index.errors import CollectionExists, CollectionNameInvalid, EncoderMismatch, ExportUnreadable, ExportUnwritable
from index.library import Library
from index.maintenance.export import unpack
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
def there(tmp_path: Path) -> Iterator[Library]:
    """Another home, with an encoder that counts what it encodes."""
    library = Library(tmp_path / "there", HashedEncoder())
    yield library
    library.close()


@pytest.fixture
def exported(library: Library, tmp_path: Path) -> Path:
    library.open("papers").export(tmp_path / "papers.quoth")
    return tmp_path / "papers.quoth"


def left_behind(tmp_path: Path) -> list[str]:
    folder = tmp_path / "there" / "collections"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_what_was_exported_is_there_after_the_import_without_encoding(
    library: Library, exported: Path, tmp_path: Path
) -> None:
    encoder = HashedEncoder()
    there = Library(tmp_path / "there", encoder)
    assert there.import_from(exported) == "papers"
    imported, original = there.open("papers"), library.open("papers")
    assert imported.documents.list() == original.documents.list()
    assert (imported.documents.get("d"), imported.documents.get("d", "v1")) == (NEW, OLD)
    assert imported.verify() == []
    assert encoder.encoded == 0
    assert imported.search("apples trees") == original.search("apples trees")
    imported.add(Document("e", "v", "file:///e", "E", "text/plain", "Bears eat honey."))
    imported.embed_pending()
    assert imported.search("honey", k=1)[0].chunk.document_id == "e"
    there.close()


def test_an_export_is_one_file_that_says_what_it_holds(exported: Path) -> None:
    assert [path.name for path in exported.parent.glob("papers*")] == ["papers.quoth"]
    with zipfile.ZipFile(exported) as archive:
        assert archive.namelist() == ["manifest.json", "ledger.sqlite"]
        manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["name"], manifest["documents"], manifest["chunks"]) == ("papers", 1, 1)


def test_an_export_never_replaces_a_file(library: Library, exported: Path, tmp_path: Path) -> None:
    before = exported.read_bytes()
    with pytest.raises(ExportUnwritable, match=r"papers\.quoth is already there"):
        library.open("papers").export(exported)
    assert exported.read_bytes() == before
    with pytest.raises(ExportUnwritable, match="no/papers"):
        library.open("papers").export(tmp_path / "no" / "papers.quoth")


def test_a_taken_or_bad_name_is_refused_and_another_can_be_given(there: Library, exported: Path) -> None:
    there.import_from(exported)
    with pytest.raises(CollectionExists, match="'papers'"):
        there.import_from(exported)
    with pytest.raises(CollectionNameInvalid):
        there.import_from(exported, "../papers")
    assert there.import_from(exported, "again") == "again"
    assert there.names() == ["again", "papers"]


def test_another_encoder_is_refused_and_nothing_is_left(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(EncoderMismatch):
        Library(tmp_path / "there", HashedEncoder(32)).import_from(exported)
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_an_export_cut_short_is_refused(share: float, there: Library, exported: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.quoth"
    data = exported.read_bytes()
    cut.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ExportUnreadable, match=r"cut\.quoth is damaged"):
        there.import_from(cut)
    assert left_behind(tmp_path) == []


def test_a_flipped_byte_is_refused_unless_the_ledger_comes_out_the_same(exported: Path, tmp_path: Path) -> None:
    data, flipped, ledger = exported.read_bytes(), tmp_path / "flipped.quoth", tmp_path / "ledger"
    unpack(exported, ledger)
    whole, refused = ledger.read_bytes(), 0
    places = range(0, len(data), 29)
    for place in places:
        flipped.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        ledger.unlink(missing_ok=True)
        try:
            unpack(flipped, ledger)
        except ExportUnreadable:
            refused += 1
            assert not ledger.exists()
        else:
            assert ledger.read_bytes() == whole
    assert refused > 0.8 * len(places)


def test_a_ledger_put_in_place_of_another_is_refused(there: Library, exported: Path, tmp_path: Path) -> None:
    forged = tmp_path / "forged.quoth"
    with zipfile.ZipFile(exported) as archive, zipfile.ZipFile(forged, "w") as target:
        target.writestr("manifest.json", archive.read("manifest.json"))
        target.writestr("ledger.sqlite", archive.read("ledger.sqlite")[:-4096])
    with pytest.raises(ExportUnreadable, match=r"forged\.quoth is damaged: its ledger has checksum"):
        there.import_from(forged)
    assert left_behind(tmp_path) == []


def test_what_is_no_export_is_refused(there: Library, tmp_path: Path) -> None:
    with pytest.raises(ExportUnreadable, match="is not there"):
        there.import_from(tmp_path / "missing")
    with pytest.raises(ExportUnreadable, match="cannot be read"):
        there.import_from(tmp_path)
    (tmp_path / "text").write_text("No zip.")
    with pytest.raises(ExportUnreadable, match="damaged or no export"):
        there.import_from(tmp_path / "text")
    with zipfile.ZipFile(tmp_path / "later", "w") as archive:
        archive.writestr("manifest.json", '{"format": 2}')
    with pytest.raises(ExportUnreadable, match="has format 2, this version reads 1"):
        there.import_from(tmp_path / "later")


def test_a_full_collection_of_another_encoder_can_still_be_dropped(library: Library, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "here", tmp_path / "copy")
    other = Library(tmp_path / "copy", HashedEncoder(32))
    other.drop("papers")
    assert other.names() == []
