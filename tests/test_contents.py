"""Archives, mailboxes and mails are unpacked in the sandbox; a bad member is rejected alone, with reason and fix."""

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path, PurePath

import pytest

from index.errors import NotADocument
from index.extraction.contents import Contents, read_contents
from index.extraction.extractor import Extractor
from index.formats.limits import Limits
from index.formats.registry import format_of, skip_reason
from tests import outlook_mail


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor(workers=1) as shared:
        yield shared


def write_zip(path: Path, members: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def zip_bytes(members: dict[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def member_uris(extractor: Extractor, path: Path) -> Contents:
    return read_contents(extractor, path, uri=path.as_uri())


def texts(found: Contents, path: Path) -> dict[str, str]:
    return {document.uri.removeprefix(path.as_uri()): document.text for document in found.documents}


def reasons(found: Contents, path: Path) -> dict[str, str]:
    assert all(error.fix for error in found.rejected)
    return {error.uri.removeprefix(path.as_uri()): error.reason for error in found.rejected}


def limited_extractor(limits: Limits, path: Path) -> Contents:
    with Extractor(limits, workers=1) as extractor:
        return member_uris(extractor, path)


def test_a_member_is_read_as_if_it_were_a_file(tmp_path: Path, extractor: Extractor) -> None:
    path = write_zip(tmp_path / "a.zip", {"x/größe.md": "# Größe\n\nIt is large.", "b!/c.txt": "Text."})
    first, second = member_uris(extractor, path).documents
    assert (first.uri, first.title) == (f"{path.as_uri()}!/x/gr%C3%B6%C3%9Fe.md", "Größe")
    assert first.sections[0].trail == ("Größe",)
    assert (second.uri, second.title) == (f"{path.as_uri()}!/b%21/c.txt", "c")


def test_names_that_point_outside_are_refused_and_write_nothing(tmp_path: Path, extractor: Extractor) -> None:
    names = ("../out.txt", "/out.txt", "C:/out.txt", "..\\out.txt", "a/../../out.txt")
    (tmp_path / "inner").mkdir()
    path = write_zip(tmp_path / "inner" / "a.zip", {**dict.fromkeys(names, "Out."), "good.txt": "Good."})
    found = member_uris(extractor, path)
    assert texts(found, path) == {"!/good.txt": "Good."}
    assert [error.reason for error in found.rejected] == ["its name leads out of the archive"] * len(names)
    assert not list(tmp_path.rglob("out.txt"))


def test_links_encrypted_duplicate_and_hidden_members_are_distinguished(tmp_path: Path, extractor: Extractor) -> None:
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("secret.txt", "Hidden words.")
        archive.writestr("one.txt", "First.")
        archive.writestr(link, "/etc/passwd")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("one.txt", "Second.")
        archive.writestr("__MACOSX/._one.txt", "x")
        archive.writestr("photo.gif", "x")
    data = bytearray((tmp_path / "a.zip").read_bytes())
    for mark, place in (
        (b"PK\x03\x04", 6),
        (b"PK\x01\x02", 8),
    ):  # the flag "encrypted" in both headers of the first member
        data[data.index(mark) + place] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    found = member_uris(extractor, tmp_path / "a.zip")
    assert texts(found, tmp_path / "a.zip") == {"!/one.txt": "First."}
    assert reasons(found, tmp_path / "a.zip") == {
        "!/secret.txt": "it is encrypted",
        "!/link.txt": "it is a link",
        "!/one.txt": "another before it has the same name",
        "!/photo.gif": ".gif files hold no text",
    }
    assert {error.uri.rsplit("/", 1)[1] for error in found.rejected if isinstance(error, NotADocument)} == {
        "link.txt", "photo.gif",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["notes.md", "notes.txt", "rates.csv", "app.log", "app.log.1", "README", "page.html"])
def test_a_text_packed_with_gzip_is_read_and_named_by_its_file(tmp_path: Path, extractor: Extractor, name: str) -> None:
    path = tmp_path / f"{name}.gz"
    path.write_bytes(gzip.compress(b"The fee is 12 euros."))
    [found] = member_uris(extractor, path).documents
    assert (found.uri, found.text.strip()) == (f"{path.as_uri()}!/{name}", "The fee is 12 euros.")


def test_what_is_packed_with_gzip_and_is_no_text_is_skipped_damaged_or_too_large_rejected(tmp_path: Path) -> None:
    for name in ("photo.gif.gz", "disk.img.gz"):
        assert format_of(PurePath(name)) is None
    assert skip_reason(PurePath("photo.gif.gz")) == ".gif.gz files hold no text"
    assert format_of(PurePath("x" + ".gz" * 20_000)) is not None  # a name in an archive has no limit of 255 bytes
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(b"Words and more words. " * 100)[:-9])
    cut = limited_extractor(Limits(), path)
    assert (cut.documents, [error.uri for error in cut.rejected]) == ((), [f"{path.as_uri()}!/a.txt"])
    assert "damaged" in cut.rejected[0].reason
    path.write_bytes(gzip.compress(bytes(50_000_000)))
    [bomb] = limited_extractor(Limits(), path).rejected
    assert "250 times its packed size" in bomb.reason
    path.write_bytes(b"No gzip at all.")
    [wrong] = limited_extractor(Limits(), path).rejected
    assert wrong.reason == "it is named .gz but holds plain text"


def test_links_and_devices_in_a_tar_archive_are_left_out(tmp_path: Path, extractor: Extractor) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for name, kind in (
            ("soft.txt", tarfile.SYMTYPE),
            ("hard.txt", tarfile.LNKTYPE),
            ("pipe.txt", tarfile.FIFOTYPE),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        member = tarfile.TarInfo("good.txt")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"Good."))
    found = member_uris(extractor, path)
    assert texts(found, path) == {"!/good.txt": "Good."}
    assert reasons(found, path) == {
        "!/soft.txt": "it is a link", "!/hard.txt": "it is a link", "!/pipe.txt": "it is no ordinary file",
    }  # fmt: skip


def test_nested_archives_are_read_down_to_a_maximum_depth(tmp_path: Path) -> None:
    innermost = zip_bytes({"c.txt": "Deepest."})
    path = write_zip(
        tmp_path / "a.zip", {"a.txt": "Top.", "b.zip": zip_bytes({"b.txt": "Middle.", "c.zip": innermost})}
    )
    assert texts(limited_extractor(Limits(depth=3), path), path) == {
        "!/a.txt": "Top.", "!/b.zip!/b.txt": "Middle.", "!/b.zip!/c.zip!/c.txt": "Deepest.",
    }  # fmt: skip
    found = limited_extractor(Limits(depth=2), path)
    assert texts(found, path) == {"!/a.txt": "Top.", "!/b.zip!/b.txt": "Middle."}
    assert reasons(found, path) == {"!/b.zip!/c.zip": "it lies more than 2 archives deep"}


def test_a_member_with_an_extreme_compression_ratio_is_rejected_alone(tmp_path: Path, extractor: Extractor) -> None:
    path = write_zip(tmp_path / "a.zip", {"bomb.txt": b"a" * 20_000_000, "good.txt": "Good."})
    found = member_uris(extractor, path)
    assert texts(found, path) == {"!/good.txt": "Good."}
    assert "more than 250 times its packed size" in reasons(found, path)["!/bomb.txt"]


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(members=3), "it holds more than 3 files"),
        (Limits(unpacked_bytes=30), "more than 30 bytes come out of it"),
        (Limits(container_bytes=100), "bytes are over the limit of 100"),
    ],
)
def test_an_archive_with_too_much_in_it_is_rejected_as_a_whole(limits: Limits, reason: str, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {f"{number}.txt": f"Text number {number}." for number in range(4)})
    found = limited_extractor(limits, path)
    assert (found.documents, found.source) == ((), None)
    [error] = found.rejected
    assert error.uri == path.as_uri()
    assert reason in error.reason


def test_members_beyond_the_limit_of_text_are_rejected(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {f"{number}.txt": "x " * 50 for number in range(3)})
    found = limited_extractor(Limits(container_characters=250), path)
    assert list(texts(found, path)) == ["!/0.txt", "!/1.txt"]
    assert reasons(found, path) == {"!/2.txt": "the texts in its archive have more than 250 characters"}


def test_a_compressed_tar_bomb_is_stopped_before_its_members_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("film.mp4")  # it would not be unpacked, but skipping over it decompresses it
        member.size = 3_000_000
        archive.addfile(member, io.BytesIO(bytes(member.size)))
    [error] = limited_extractor(Limits(unpacked_bytes=1_000_000), path).rejected
    assert (error.uri, error.reason) == (path.as_uri(), "more than 1,000,000 bytes come out of it")


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tar.xz"])
def test_a_truncated_archive_is_rejected_and_leaves_nothing(name: str, tmp_path: Path, extractor: Extractor) -> None:
    path = tmp_path / name
    if name == "a.zip":
        write_zip(path, {f"{number}.txt": f"Text {number}." * 50 for number in range(40)})
    else:
        with tarfile.open(path, {"a.tar": "w", "a.tar.gz": "w:gz", "a.tar.xz": "w:xz"}[name]) as archive:
            for number in range(40):
                member = tarfile.TarInfo(f"{number}.txt")
                member.size = 500
                archive.addfile(member, io.BytesIO(f"Text {number:04}.".encode() * 50))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    found = member_uris(extractor, path)
    assert (found.documents, found.source) == ((), None)
    assert found.rejected[0].reason.startswith("it is damaged or cut short")


def test_a_damaged_member_is_rejected_alone(tmp_path: Path, extractor: Extractor) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:  # stored uncompressed, so that its bytes can be found
        archive.writestr("bad.txt", "Wrong words here.")
        archive.writestr("good.txt", "Good.")
    path.write_bytes(path.read_bytes().replace(b"Wrong words", b"wrong words", 1))
    found = member_uris(extractor, path)
    assert texts(found, path) == {"!/good.txt": "Good."}
    assert reasons(found, path)["!/bad.txt"].startswith("it is damaged in its archive (Bad CRC-32")


def test_an_archive_with_the_wrong_suffix_is_rejected(tmp_path: Path, extractor: Extractor) -> None:
    (tmp_path / "a.zip").write_text("<html>404</html>")
    [error] = member_uris(extractor, tmp_path / "a.zip").rejected
    assert error.reason == "it is named .zip but holds a web page"
    path = write_zip(tmp_path / "b.zip", {"a.pdf": "No PDF.", "c.mbox": "No mailbox."})
    assert reasons(member_uris(extractor, path), path) == {
        "!/a.pdf": "it is named .pdf but holds plain text", "!/c.mbox": "it is named .mbox but holds plain text",
    }  # fmt: skip


def test_no_unpacked_file_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    path = write_zip(tmp_path / "a.zip", {"a.txt": "Text.", "b.pdf": "No PDF."})
    found = limited_extractor(Limits(), path)
    assert len(found.documents) == 1
    assert list((tmp_path / "temporary").iterdir()) == []


def mail(subject: str, text: str, identity: str | None = None) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"] = subject, "ann@example.org"
    if identity is not None:
        message["Message-ID"] = f"<{identity}>"
    message.set_content(text)
    return message


def test_attachments_of_a_mail_are_read_and_listed_in_it(tmp_path: Path, extractor: Extractor) -> None:
    message = mail("Offer", "Please see below.")
    message.add_attachment("Bridges cost much.\n", filename="größe.txt")
    message.add_attachment(b"GIF89a", maintype="image", subtype="gif", filename="logo.gif")
    message.add_attachment(mail("Inner", "Forwarded words."))
    message.add_attachment(zip_bytes({"a.txt": "Packed."}), maintype="application", subtype="zip", filename="a.zip")
    (tmp_path / "a.eml").write_bytes(bytes(message))
    found = member_uris(extractor, tmp_path / "a.eml")
    assert texts(found, tmp_path / "a.eml") == {
        "": "Subject: Offer\nFrom: ann@example.org\nAttachments: größe.txt, logo.gif, attachment-3.eml, a.zip\n\n"
        "Please see below.",
        "!/gr%C3%B6%C3%9Fe.txt": "Bridges cost much.\n",
        "!/attachment-3.eml": "Subject: Inner\nFrom: ann@example.org\n\nForwarded words.",
        "!/a.zip!/a.txt": "Packed.",
    }
    assert reasons(found, tmp_path / "a.eml") == {"!/logo.gif": ".gif files hold no text"}


def test_attachments_of_an_outlook_mail_are_read(tmp_path: Path, extractor: Extractor) -> None:
    inner = outlook_mail.mail("Inner", "Forwarded words.", header_bytes=24)
    attached = {"größe.txt": b"Wide.", "inner": inner, "a.zip": zip_bytes({"a.txt": "Packed."})}
    path = tmp_path / "a.msg"
    path.write_bytes(outlook_mail.msg("Offer", "Please see below.", attached=attached))
    found = member_uris(extractor, path)
    assert {uri: text.splitlines()[-1] for uri, text in texts(found, path).items()} == {
        "": "Please see below.",
        "!/gr%C3%B6%C3%9Fe.txt": "Wide.",
        "!/inner.eml": "Forwarded words.",
        "!/a.zip!/a.txt": "Packed.",
    }
    path.write_bytes(path.read_bytes()[:2000])
    [error] = member_uris(extractor, path).rejected
    assert error.reason.startswith("it is damaged or cut short")


def test_each_mail_of_a_mailbox_is_identified_by_its_id_or_number(tmp_path: Path, extractor: Extractor) -> None:
    begin = b"From ann@example.org Mon Jan  1 10:00:00 2024\n"
    mails = [
        mail("One", "First.", "1@x"),
        mail("Two", "From now on:\n\nFrom the town."),
        mail("Again", "Third.", "1@x"),
    ]
    path = tmp_path / "all.mbox"
    path.write_bytes(b"".join(begin + bytes(one) + b"\n" for one in mails).replace(b"\nFrom the", b"\n>From the"))
    found = member_uris(extractor, path)
    assert {document.uri.removeprefix(path.as_uri()): document.title for document in found.documents} == {
        "!/1@x": "One", "!/2": "Two", "!/3": "Again",
    }  # fmt: skip
    assert found.documents[1].text.endswith("From now on:\n\nFrom the town.")


def test_a_member_that_crashes_its_parser_is_rejected_alone(tmp_path: Path) -> None:
    text = "word " * 9_000_000
    path = write_zip(tmp_path / "a.zip", {"big.txt": text, "good.txt": "Good."})
    tight = Limits(memory_bytes=300 * 2**20, characters=10**9, ratio=10_000)
    found = limited_extractor(tight, path)
    assert list(texts(found, path)) == ["!/good.txt"]
    assert reasons(found, path) == {"!/big.txt": "reading it takes too much memory"}
