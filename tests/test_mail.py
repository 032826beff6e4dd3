"""Mails as they occur: alternative bodies, wrong charsets, encoded headers, repeated names of attachments."""

from email.message import EmailMessage

from hypothesis import given, settings
from hypothesis import strategies as st

from index.formats.mail import attachments, read_mail


def test_of_two_alternative_bodies_the_plain_one_is_read_unless_it_is_empty() -> None:
    message = EmailMessage()
    message.set_content("Plain words.\n")
    message.add_alternative("<p>Web words.</p>", subtype="html")
    assert read_mail(bytes(message)).content.text == "Plain words."
    message = EmailMessage()
    message.set_content(" \n")
    message.add_alternative("<p>Web words.</p>", subtype="html")
    assert read_mail(bytes(message)).content.text == "Web words."


def test_an_html_body_keeps_headings_and_blocks_apart() -> None:
    message = EmailMessage()
    message["Subject"] = "Größe"
    message.set_content("<h2>Prices</h2><p>Apples <b>cost</b> 2 €.</p><p>Pears 3.</p>", subtype="html")
    mail = read_mail(bytes(message))
    assert mail.content.text == "Subject: Größe\n\nPrices\n\nApples cost 2 €.\n\nPears 3."
    [heading] = mail.content.headings
    assert mail.content.text[heading.start :].startswith("Prices\n")
    assert (heading.level, heading.text) == (2, "Prices")


def test_a_wrong_or_unknown_charset_is_detected() -> None:
    for charset in ("us-ascii", "no-such-thing", "utf-8"):
        raw = f"Content-Type: text/plain; charset={charset}\n\n".encode() + "Où est la fenêtre ?\n".encode("cp1252")
        assert read_mail(raw).content.text == "Où est la fenêtre ?"


def test_header_words_are_decoded_and_the_date_is_iso() -> None:
    mail = read_mail(
        b"Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\r\n of the town\r\nFrom: =?iso-8859-1?q?J=F6rg?= <j@example.org>\r\n"
        b"Date: Mon, 1 Jan 2024 10:00:00 +0100\r\n\r\nText.\r\n"
    )
    assert (mail.subject, mail.sender) == ("Größe of the town", "Jörg <j@example.org>")
    assert mail.created == "2024-01-01T10:00:00+01:00"
    assert read_mail(b"Subject: =?no-such?q?x?=\nDate: yesterday\n\nText.").created == ""


def test_attachments_with_the_same_name_are_numbered() -> None:
    message = EmailMessage()
    message.set_content("See below.")
    for text in ("one", "two"):
        message.add_attachment(text, filename="notes.txt")
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf")
    found = [(member.name, b"".join(member.data()).strip()) for member in attachments(bytes(message))]
    assert found == [("notes.txt", b"one"), ("notes-2.txt", b"two"), ("attachment-3.pdf", b"%PDF-")]


_PIECES = st.sampled_from(
    [
        b"Subject: =?utf-8?b?", b"From: a@b\n", b"Content-Type: multipart/mixed; boundary=x\n", b"\n", b"--x\n", b"--x--\n",
        b"Content-Type: message/rfc822\n", b"Content-Type: text/html; charset=utf-7\n", b"Date: Mon, 99 Foo\n",
        b"Content-Transfer-Encoding: base64\n", b"Content-Disposition: attachment; filename*=utf-8''%FF\n", b"<p>", b"\xff",
    ]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(_PIECES, max_size=20))
def test_any_text_is_read_as_a_mail(pieces: list[bytes]) -> None:
    mail = read_mail(b"".join(pieces))
    names = [member.name for member in attachments(b"".join(pieces))]
    assert len(names) == len(set(names))
    assert all(0 <= heading.start <= len(mail.content.text) for heading in mail.content.headings)
    assert mail.content.text.encode().decode() == mail.content.text
