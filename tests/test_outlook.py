"""Mails as Outlook saves them, and the compound files that hold them, intact and damaged."""

import random
import struct

import pytest

from index.formats.members import Damaged
from index.formats.messages.compound_file import Stream, root_storage
from index.formats.messages.mail import attachments, read_mail
from index.formats.messages.outlook import outlook_message
from index.formats.parsed import Unreadable
from tests.compound import Storage, compound
from tests.outlook_mail import mail, msg


def read(storage: object) -> object:
    """A storage, with the bytes of its streams."""
    if isinstance(storage, Stream):
        return storage.read()
    assert isinstance(storage, dict)
    return {name: read(content) for name, content in storage.items()}


def attachment_bytes(data: bytes) -> dict[str, bytes]:
    return {member.name: b"".join(member.data()) for member in attachments(data)}


def test_a_compound_file_is_read_back_as_it_was_written() -> None:
    chance = random.Random(1)
    sizes = (0, 1, 63, 64, 65, 4095, 4096, 4097, 100_000)
    written: Storage = {
        **{f"stream {size}": chance.randbytes(size) for size in sizes},
        "größe": {"below": {"deepest": b"x" * 5000}, "empty": {}},
        **{f"many {number:03}": {"a": bytes([number])} for number in range(200)},
    }
    assert read(root_storage(compound(written))) == written


def test_a_mail_has_its_people_date_text_and_names_of_attachments() -> None:
    data = msg(
        "Größe", "The bridge opened.\r\nIn 1932.", attached={"größe.txt": b"Wide.", "logo.png": b"\x89PNG"},
        to=["Bob <bob@example.org>", "Zoë <zoe@example.org>"], cc=["Cy <cy@example.org>"],
    )  # fmt: skip
    found = read_mail(data)
    assert found.title == "Größe"
    assert found.metadata == {"author": "Jörg <j@example.org>", "created": "2024-01-01T10:00:00+00:00"}
    assert found.text == (
        "Subject: Größe\nFrom: Jörg <j@example.org>\nTo: Bob <bob@example.org>, Zoë <zoe@example.org>\n"
        "Cc: Cy <cy@example.org>\nDate: Mon, 01 Jan 2024 10:00:00 +0000\nAttachments: größe.txt, logo.png\n\n"
        "The bridge opened.\nIn 1932."
    )
    assert attachment_bytes(data) == {"größe.txt": b"Wide.", "logo.png": b"\x89PNG"}


def test_an_html_body_is_read_in_its_code_page() -> None:
    assert read_mail(msg(html="<h2>Preise</h2><p>Äpfel 2 €.</p>".encode("cp1252"))).text.endswith(
        "Preise\n\nÄpfel 2 €."
    )


def test_of_two_bodies_the_one_in_html_is_read() -> None:
    data = msg("Sails", "Boat Sails\r\nJib 2\r\n", html=b"<table><tr><th>Boat<th>Sails<tr><td>Jib<td>2</table>")
    assert read_mail(data).text.endswith("| Boat | Sails |\n| Jib | 2 |")


def test_a_mail_attached_to_a_mail_is_a_mail_and_the_same_bytes_each_time() -> None:
    inner = mail("Inneres", "Forwarded words.", attached={"a.txt": b"Deep."}, header_bytes=24)
    data = msg("Outer", "See below.", attached={"Fwd: inner": inner})
    [(name, first)] = attachment_bytes(data).items()
    assert name == "Fwd: inner.eml"
    assert read_mail(first).text.endswith("Attachments: a.txt\n\nForwarded words.")
    assert attachment_bytes(first) == {"a.txt": b"Deep."}
    assert attachment_bytes(data)[name] == first


def test_a_file_that_is_damaged_or_not_a_mail_is_rejected() -> None:
    with pytest.raises(Damaged, match="it holds no mail"):
        outlook_message(compound({"Workbook": b"x" * 5000}))
    whole = bytearray(compound(mail("A", "Text. " * 1000)))
    with pytest.raises(Unreadable):
        read_mail(bytes(whole[:700]))
    directory, table = struct.unpack_from("<I24xI", whole, 48)
    struct.pack_into("<I", whole, (table + 1) * 512 + 4 * directory, directory)
    with pytest.raises(Unreadable, match="a chain runs in a circle"):
        read_mail(bytes(whole))


def test_endlessly_nested_mails_are_refused() -> None:
    storage = mail("Innermost", "Text.", header_bytes=24)
    for _ in range(10):
        storage = mail("Outer", "Text.", attached={"inner": storage}, header_bytes=24)
    with pytest.raises(Unreadable, match="more than 8 deep"):
        read_mail(compound({**storage, "__properties_version1.0": bytes(32)}))
