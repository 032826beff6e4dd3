"""The pages, pictures, blocks and files of documents over HTTP: from folders and uploads, with the caller's permissions."""

import gzip
import hashlib
import os
import struct
import zipfile
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
from reportlab.pdfgen.canvas import Canvas

from index.errors import DocumentRejected
from index.extraction import pictures
from index.records import Document
from index.sync.sync import sync
from index.uris import document_id
from service.access.caller import Scope
from tests.served_app import ServedApp

IN_OPEN = {"collection": "open"}


def write_pdf(path: Path, *pages: str) -> Path:
    """A PDF of 300 by 200 points with a text near the top left corner of each page."""
    canvas = Canvas(str(path), pagesize=(300, 200), invariant=1)
    for text in pages:
        for number, line in enumerate(text.split("\n")):
            canvas.drawString(20, 170 - 20 * number, line)
        canvas.showPage()
    canvas.save()
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    write_pdf(folder / "tariff.pdf", "The first fee is due in May.", "The second fee\nis due in June.")
    (folder / "notes.txt").write_text("Füchse schlafen am Tag.", encoding="utf-8")
    (folder / "old.txt").write_bytes(
        "Die Straße ist für Füchse gesperrt, und sie müssen über die Brücke.".encode("cp1252")
    )
    (folder / "page.html").write_text("<h1>Rules</h1><p>Scripts are not run.</p><script>alert(1)</script>")
    (folder / "table.md").write_text(
        "# Prices\n\n| Item | May |\n| --- | --- |\n| Rope | 40 |\n| Tent | |\n\nThe end.\n"
    )
    (folder / "log.txt.gz").write_bytes(gzip.compress(b"The pump stopped at noon."))
    with zipfile.ZipFile(folder / "pack.zip", "w") as archive:
        archive.write(folder / "tariff.pdf", "inner/fees of 2027.pdf")
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Fees", "ann@example.org", "bob@example.org"
    mail.set_content("The fees are attached.")
    mail.add_attachment(
        (folder / "tariff.pdf").read_bytes(), maintype="application", subtype="pdf", filename="fees.pdf"
    )
    (folder / "mail.eml").write_bytes(mail.as_bytes())
    (folder / "gone.txt").write_text("This file goes.")
    (folder / "changed.txt").write_text("This file changes.")
    (folder / "linked.txt").write_text("This file is replaced by a link.")
    (folder / "below").mkdir()
    (folder / "below" / "moved.txt").write_text("The folder of this file is replaced by a link.")
    (folder / "edited.pdf").write_bytes(write_pdf(folder / "edited.pdf", "Before.").read_bytes())
    return folder


@pytest.fixture(scope="module")
def app(folder: Path, tmp_path_factory: pytest.TempPathFactory, loopback: Any) -> Iterator[ServedApp]:
    with ServedApp(tmp_path_factory.mktemp("home"), loopback) as served:
        report = sync(served.library.open("open"), [folder])
        assert report.rejected == ()
        yield served


@pytest.fixture(scope="module")
def admin(app: ServedApp) -> httpx.Client:
    return app.key("admin", Scope.ADMIN, principals=None)


def document(client: httpx.Client, end: str) -> dict[str, Any]:
    listed = client.get("/v1/documents", params=IN_OPEN).raise_for_status().json()["documents"]
    [found] = [one for one in listed if one["uri"].endswith(end)]
    return dict(found)


def version_of(client: httpx.Client, end: str) -> str:
    found = document(client, end)
    return f"/v1/documents/{found['id']}/versions/{found['version']}"


def file(client: httpx.Client, end: str) -> httpx.Response:
    return client.get(f"/v1/collections/open/documents/{document(client, end)['id']}/file")


def refused(response: httpx.Response, status: int, code: str) -> str:
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    return str(response.json()["detail"])


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_the_text_comes_with_the_blocks_of_the_range_as_a_tree(admin: httpx.Client) -> None:
    place = version_of(admin, "table.md")
    whole = admin.get(f"{place}/text", params=IN_OPEN).json()
    kinds = [block["kind"] for block in whole["blocks"]]
    assert kinds.count("row") == 3
    assert kinds.count("cell") == 6
    [rope] = [block for block in whole["blocks"] if whole["text"][block["start"] : block["end"]] == "40"]
    label = rope["labels"][0]
    assert (rope["row"], rope["column"], whole["text"][label["start"] : label["end"]]) == (1, 1, "May")
    part = admin.get(f"{place}/text", params={**IN_OPEN, "start": rope["start"], "end": rope["end"]}).json()
    held = [(block["kind"], None if block["parent"] is None else part["blocks"][block["parent"]]["kind"])
            for block in part["blocks"] if block["kind"] in ("table", "row", "cell")]  # fmt: skip
    assert held == [("table", None), ("row", "table"), ("cell", "row")]


def test_a_page_has_its_size_its_words_and_the_boxes_of_a_range(admin: httpx.Client) -> None:
    place = version_of(admin, "/tariff.pdf")
    text = admin.get(f"{place}/text", params=IN_OPEN).json()["text"]
    page = admin.get(f"{place}/pages/2", params=IN_OPEN).raise_for_status().json()
    assert (page["number"], page["width"], page["height"], page["boxes"]) == (2, 300.0, 200.0, [])
    words = [text[word["start"] : word["end"]] for word in page["words"]]
    assert words == ["The", "second", "fee", "is", "due", "in", "June."]
    left, top, right, bottom = page["words"][0]["box"]
    assert 19 < left < right < 60
    assert 15 < top < bottom < 40  # the baseline is 30 points below the top
    start, end = text.index("second"), text.index("June")
    boxes = admin.get(f"{place}/pages/2", params={**IN_OPEN, "start": start, "end": end}).json()["boxes"]
    assert [round(box[1]) for box in boxes] == [round(page["words"][1]["box"][1]), round(page["words"][3]["box"][1])]
    assert admin.get(f"{place}/pages/1", params={**IN_OPEN, "start": start, "end": end}).json()["boxes"] == []


def test_the_pages_of_a_pdf_are_listed_with_their_sizes_and_ranges(admin: httpx.Client) -> None:
    place = version_of(admin, "/tariff.pdf")
    text = admin.get(f"{place}/text", params=IN_OPEN).json()["text"]
    first, second = admin.get(f"{place}/pages", params=IN_OPEN).raise_for_status().json()["pages"]
    assert (first["number"], first["width"], first["height"]) == (1, 300.0, 200.0)
    assert text[second["start"] : second["end"]].split() == "The second fee is due in June.".split()


def test_a_page_is_drawn_in_the_width_asked_for_and_kept(admin: httpx.Client, app: ServedApp) -> None:
    place = version_of(admin, "/tariff.pdf")
    drawn = admin.get(f"{place}/pages/1.png", params={**IN_OPEN, "width": 600})
    assert (drawn.status_code, drawn.headers["content-type"], size_of(drawn.content)) == (200, "image/png", (600, 400))
    assert "no-store" not in drawn.headers["cache-control"]
    kept = list((app.library.open("open").folder / "pictures").iterdir())
    assert drawn.content in [path.read_bytes() for path in kept]
    again = admin.get(f"{place}/pages/1.png", params={**IN_OPEN, "width": 600})
    assert (again.content, again.headers["etag"]) == (drawn.content, drawn.headers["etag"])
    known = {"If-None-Match": drawn.headers["etag"]}
    unchanged = admin.get(f"{place}/pages/1.png", params={**IN_OPEN, "width": 600}, headers=known)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert size_of(admin.get(f"{place}/pages/2.png", params=IN_OPEN).content) == (1000, 667)
    for width in (15, 4097):
        refused(admin.get(f"{place}/pages/1.png", params={**IN_OPEN, "width": width}), 422, "request-invalid")


def test_pages_that_are_not_there_are_named(admin: httpx.Client) -> None:
    place = version_of(admin, "/tariff.pdf")
    refused(admin.get(f"{version_of(admin, 'notes.txt')}/pages", params=IN_OPEN), 404, "geometry-missing")
    for end in ("", ".png"):
        assert "1 to 2" in refused(admin.get(f"{place}/pages/3{end}", params=IN_OPEN), 404, "not-found")
        notes = f"{version_of(admin, 'notes.txt')}/pages/1{end}"
        assert "is no PDF" in refused(admin.get(notes, params=IN_OPEN), 404, "geometry-missing")
        unknown = f"/v1/documents/{document(admin, '/tariff.pdf')['id']}/versions/other/pages/1{end}"
        refused(admin.get(unknown, params=IN_OPEN), 404, "not-found")


@pytest.mark.parametrize("end", ["fees%20of%202027.pdf", "mail.eml!/fees.pdf"])
def test_pdfs_in_archives_and_mails_have_pages_pictures_and_files(admin: httpx.Client, folder: Path, end: str) -> None:
    place = version_of(admin, end)
    assert len(admin.get(f"{place}/pages/2", params=IN_OPEN).json()["words"]) == 7
    drawn = admin.get(f"{place}/pages/2.png", params={**IN_OPEN, "width": 300})
    assert size_of(drawn.content) == (300, 200)
    assert file(admin, end).content == (folder / "tariff.pdf").read_bytes()


def test_files_of_folders_are_shown_or_saved(admin: httpx.Client, folder: Path) -> None:
    shown = {
        "/tariff.pdf": ("application/pdf", "inline; filename=\"tariff.pdf\""),
        "notes.txt": ("text/plain; charset=utf-8", "inline; filename=\"notes.txt\""),
        "old.txt": ("text/plain", "inline; filename=\"old.txt\""),
        "table.md": ("text/plain; charset=utf-8", "inline; filename=\"table.md\""),
        "page.html": ("application/octet-stream", "attachment; filename=\"page.html\""),
        "mail.eml": ("application/octet-stream", "attachment; filename=\"mail.eml\""),
    }  # fmt: skip
    for end, (kind, disposition) in shown.items():
        sent = file(admin, end)
        assert sent.content == (folder / end.lstrip("/")).read_bytes()
        assert (sent.headers["content-type"], sent.headers["content-disposition"]) == (kind, disposition)
        assert sent.headers["x-content-type-options"] == "nosniff"
        assert sent.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    packed = file(admin, "log.txt")
    assert (packed.content, packed.headers["content-type"]) == (
        b"The pump stopped at noon.", "text/plain; charset=utf-8",
    )  # fmt: skip


def test_a_picture_is_shown_and_what_an_earlier_version_read_is_found_by_its_plain_hash(
    admin: httpx.Client, app: ServedApp, folder: Path
) -> None:
    picture = folder / "chart.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    version = hashlib.sha256(picture.read_bytes()).hexdigest()
    app.library.open("open").add(Document("chart", version, picture.as_uri(), "Chart", "image/png", "Sales rose."))
    sent = admin.get("/v1/collections/open/documents/chart/file")
    assert sent.content == picture.read_bytes()
    assert (sent.headers["content-type"], sent.headers["content-disposition"]) == (
        "image/png", 'inline; filename="chart.png"',
    )  # fmt: skip


def test_a_file_that_is_gone_changed_or_replaced_by_a_link_is_not_sent(
    admin: httpx.Client, folder: Path, tmp_path: Path
) -> None:
    gone, changed, linked, moved = [
        document(admin, f"{name}.txt")["id"] for name in ("gone", "changed", "linked", "moved")
    ]
    (folder / "gone.txt").unlink()
    status = (folder / "changed.txt").stat()
    (folder / "changed.txt").write_text("That file changes.")  # as long as before
    os.utime(folder / "changed.txt", ns=(status.st_atime_ns, status.st_mtime_ns))
    secret = tmp_path / "secret.txt"
    secret.write_text("This file is replaced by a link.")  # the same bytes, elsewhere
    (folder / "linked.txt").unlink()
    (folder / "linked.txt").symlink_to(secret)
    (folder / "below").rename(tmp_path / "below")
    (folder / "below").symlink_to(tmp_path / "below")

    def answer(identity: str) -> httpx.Response:
        return admin.get(f"/v1/collections/open/documents/{identity}/file")

    assert "is gone" in refused(answer(gone), 404, "source-missing")
    assert "has changed" in refused(answer(changed), 409, "source-changed")
    assert "symbolic link" in refused(answer(linked), 404, "source-missing")
    assert "symbolic link" in refused(answer(moved), 404, "source-missing")


def test_a_picture_of_a_changed_or_missing_pdf_is_refused_although_it_was_drawn(
    admin: httpx.Client, folder: Path
) -> None:
    place = f"{version_of(admin, 'edited.pdf')}/pages/1.png"
    assert admin.get(place, params=IN_OPEN).status_code == 200
    before = (folder / "edited.pdf").read_bytes()
    os.utime(folder / "edited.pdf", (1, 1))
    assert admin.get(place, params=IN_OPEN).status_code == 200  # touched, and the same bytes
    write_pdf(folder / "edited.pdf", "After it was read.")
    refused(admin.get(place, params=IN_OPEN), 409, "source-changed")
    (folder / "edited.pdf").unlink()
    refused(admin.get(place, params=IN_OPEN), 404, "source-missing")
    (folder / "edited.pdf").write_bytes(before)
    assert admin.get(place, params=IN_OPEN).status_code == 200


def test_a_document_that_was_not_read_from_a_file_says_so(admin: httpx.Client, app: ServedApp) -> None:
    text = Document("page", "v", "https://example.org/a", "A", "text/html", "Bears eat honey.")
    app.library.open("open").add(text)
    detail = refused(admin.get("/v1/collections/open/documents/page/file"), 404, "source-missing")
    assert "was not read from a file" in detail


def test_nobody_gets_the_file_or_a_page_of_a_document_they_may_not_read(app: ServedApp, folder: Path) -> None:
    collection = app.library.open("open")
    secret = write_pdf(folder / "board.pdf", "The board meets in secret.")
    sync(collection, [secret], principals=frozenset({"board"}))
    [summary] = collection.documents.list([document_id(secret.as_uri())])
    place = f"/v1/documents/{summary.id}/versions/{summary.version}"
    member, guest = app.key("member", principals=["board"]), app.key("guest", principals=["staff"])
    ways = (
        f"{place}/text",
        f"{place}/pages",
        f"{place}/pages/1",
        f"{place}/pages/1.png",
        f"/v1/collections/open/documents/{summary.id}/file",
    )
    for way in ways:
        assert member.get(way, params=IN_OPEN).status_code == 200
        refused(guest.get(way, params=IN_OPEN), 404, "not-found")
    assert app.key("crawler", Scope.INGEST).get(ways[3], params=IN_OPEN).status_code == 403


def test_a_mail_is_not_sent_to_who_may_not_read_its_attachment(app: ServedApp, admin: httpx.Client) -> None:
    collection = app.library.open("open")
    attachment = document(admin, "mail.eml!/fees.pdf")["id"]
    collection.permit(attachment, frozenset({"board"}))
    guest = app.key("guest2", principals=["staff"])
    mail = f"/v1/collections/open/documents/{document(admin, 'mail.eml')['id']}/file"
    refused(guest.get(mail), 404, "not-found")
    assert admin.get(mail).status_code == 200
    collection.permit(attachment, frozenset())
    assert guest.get(mail).status_code == 200


def test_pictures_are_kept_up_to_a_size_and_the_longest_unused_goes_first(tmp_path: Path) -> None:
    kept = pictures.Pictures(tmp_path / "pictures", max_bytes=250)
    for page in (1, 2):
        kept.put("v", page, 100, bytes([page]) * 100)
    for number, path in enumerate(sorted((tmp_path / "pictures").iterdir())):
        os.utime(path, (number, number))
    assert kept.get("v", 1, 100) == b"\1" * 100  # used: now the other is the older one
    kept.put("v", 3, 100, b"\3" * 100)
    assert [kept.get("v", page, 100) is not None for page in (1, 2, 3)] == [True, False, True]
    assert kept.get("w", 1, 100) is None
    nowhere = pictures.Pictures(tmp_path / "missing" / "pictures")
    nowhere.put("v", 1, 100, b"1")
    assert nowhere.get("v", 1, 100) is None


def test_a_pdf_that_cannot_be_drawn_is_rejected_and_the_next_is_drawn(tmp_path: Path) -> None:
    from index.extraction.extractor import Extractor
    from index.uris import document_version

    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\nnothing that can be drawn")
    good = write_pdf(tmp_path / "good.pdf", "Good.")
    with Extractor(workers=1) as extractor:
        with pytest.raises(DocumentRejected):
            extractor.draw(broken, uri="file:///b", version=document_version(broken.read_bytes()), page=1, width=100)
        assert extractor.draw(good, uri="file:///g", version="other", page=1, width=100) is None
        drawn = extractor.draw(good, uri="file:///g", version=document_version(good.read_bytes()), page=1, width=100)
    assert drawn is not None
    assert size_of(drawn)[0] == 100
