"""Mails as they occur: alternative bodies, wrong charsets, encoded headers, repeated names of attachments."""

from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.blocks.block import Block, Kind
from index.formats.messages.mail import attachments, read_mail
from index.formats.parsed import Parsed


def text(mail: Parsed, block: Block) -> str:
    return mail.text[block.start : block.end]


def labels(mail: Parsed, block: Block) -> list[str]:
    return [mail.text[start:end] for start, end in block.labels]


def quotations(mail: Parsed) -> list[tuple[list[str], str]]:
    return [(labels(mail, block), text(mail, block)) for block in mail.blocks if block.kind is Kind.QUOTATION]


def test_of_two_alternative_bodies_the_one_that_a_person_sees_is_read() -> None:
    message = EmailMessage()
    message.set_content("Plain words, that stand in the other part too, and a few more than there.\n")
    message.add_alternative("<p>Web words, in the other part.</p>", subtype="html")
    web = message.get_payload()[1]
    assert read_mail(bytes(message)).text == "Web words, in the other part."
    for html in (
        "",
        "<img src=cid:1>",
        "<img src=cid:1><a href=x>View online</a>",
        "<p hidden>Web words, in the other part.</p>",
    ):
        web.set_content(html, subtype="html")
        assert read_mail(bytes(message)).text.startswith("Plain words, ")
    message.get_payload()[0].set_content(
        "This message is in HTML. Please open it in a program that can show such messages.\n"
    )
    web.set_content("<p>Web words.</p>", subtype="html")
    assert read_mail(bytes(message)).text == "Web words."
    message = EmailMessage()
    message.set_content(" \n")
    message.add_alternative("<p>Web words.</p>", subtype="html")
    assert read_mail(bytes(message)).text == "Web words."


def test_an_html_body_keeps_headings_and_blocks_apart() -> None:
    message = EmailMessage()
    message["Subject"] = "Größe"
    message.set_content("<h2>Prices</h2><p>Apples <b>cost</b> 2 €.</p><p>Pears 3.</p>", subtype="html")
    mail = read_mail(bytes(message))
    assert mail.text == "Subject: Größe\n\nPrices\n\nApples cost 2 €.\n\nPears 3."
    [heading] = [block for block in mail.blocks if block.kind is Kind.HEADING]
    assert (heading.level, mail.text[heading.start : heading.end]) == (2, "Prices")


def test_headers_and_names_of_attachments_are_fields_with_their_names() -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Of sails", "Mona <m@example.org>", "Per <p@example.org>"
    message.set_content("See below.")
    message.add_attachment("one", filename="sails.txt")
    mail = read_mail(bytes(message))
    fields = [(labels(mail, block), text(mail, block)) for block in mail.blocks if block.kind is Kind.FIELD]
    assert fields == [
        (["Subject"], "Of sails"),
        (["From"], "Mona <m@example.org>"),
        (["To"], "Per <p@example.org>"),
        (["Attachments"], "sails.txt"),
    ]


def test_what_is_quoted_is_named_by_who_wrote_it_however_deep() -> None:
    mail = read_mail(
        b"Subject: Sails\n\nYes.\nOn Mon, 5 May 2025 at 08:12, Per Dahl <per@example.org>\nwrote:\n> I approve.\n"
        b">\n> Am 4. Mai 2025 schrieb Bo:\n>> May we?\n> Per\n\nThanks.\n"
    )
    assert quotations(mail) == [
        (
            ["On Mon, 5 May 2025 at 08:12, Per Dahl <per@example.org>\nwrote:"],
            "I approve.\n\nAm 4. Mai 2025 schrieb Bo:\n\nMay we?\n\nPer",
        ),
        (["Am 4. Mai 2025 schrieb Bo:"], "May we?"),
    ]
    assert mail.text.endswith("Per\n\nThanks.")


_GMAIL = """<div>Yes.<div class=gmail_quote><div class=gmail_attr>On Mon, May 5, 2025 at 8:12 AM Per &lt;<a>p@x</a>&gt; wrote:
<br></div><blockquote class="gmail_quote"><div>I approve.</div></blockquote></div></div>"""
_APPLE = "<div>Yes.</div><blockquote type=cite><div>On 5 May 2025, at 08:12, Per wrote:</div><div>I approve.</div></blockquote>"
_OUTLOOK = """<p>Yes.</p><div><p><b>From:</b> Per Dahl<br><b>Sent:</b> Monday 5 May<br><b>To:</b> Mona<br><b>Subject:</b> Sails
</p></div><p>I approve.</p>"""
_OUTLOOK_TEXT = """Yes.

-----Ursprüngliche Nachricht-----
Von: Per Dahl
Gesendet: Montag, 5. Mai 2025 08:12
An: Mona
Betreff: Segel

I approve."""
_FORWARDED = """Yes.

---------- Forwarded message ---------
From: Per Dahl
Date: Mon, 5 May 2025
Subject: Sails
To: Mona

I approve."""
_UNMARKED = "Yes.\n\nOn Mon, 5 May 2025, Per Dahl wrote:\n\nI approve.\n"


@pytest.mark.parametrize(
    ("body", "subtype", "who"),
    [
        (_GMAIL, "html", "On Mon, May 5, 2025 at 8:12 AM Per <p@x> wrote:"),
        (_APPLE, "html", "On 5 May 2025, at 08:12, Per wrote:"),
        (_OUTLOOK, "html", "Per Dahl"),
        (_OUTLOOK_TEXT, "plain", "Per Dahl"),
        (_FORWARDED, "plain", "Per Dahl"),
        (_UNMARKED, "plain", "On Mon, 5 May 2025, Per Dahl wrote:"),
    ],
)  # fmt: skip
def test_quotations_are_found_as_mail_programs_write_them(body: str, subtype: str, who: str) -> None:
    message = EmailMessage()
    message.set_content(body, subtype=subtype)
    mail = read_mail(bytes(message))
    [(names, quoted)] = quotations(mail)
    assert names == [who]
    assert quoted.endswith("I approve.")
    assert "Yes." not in quoted


def test_a_signature_is_furniture() -> None:
    mail = read_mail(b"Subject: Sails\n\nThe sails:\n- jib\n- main\n-- \nMona Lund\nSailmaker\n")
    [signature] = [block for block in mail.blocks if block.kind is Kind.FURNITURE]
    assert text(mail, signature) == "--\nMona Lund\nSailmaker"
    [listed] = [block for block in mail.blocks if block.kind is Kind.LIST]
    assert (labels(mail, listed), text(mail, listed)) == (["The sails:"], "- jib\n- main")


def test_a_line_that_flows_goes_on_in_the_next() -> None:
    mail = read_mail(b"Content-Type: text/plain; format=flowed\n\nThis line \nflows.\nThis one does not.\n")
    assert mail.text == "This line flows.\nThis one does not."


def test_an_invitation_says_what_when_and_where() -> None:
    message = EmailMessage()
    message.set_content("You are invited.")
    message.add_alternative(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Sails\\, spars\r\nDTSTART;TZID=Europe/Oslo:20250507T100000\r\n"
        "DTEND:20250507T110000Z\r\nLOCATION:Loft\r\n  7\r\nBEGIN:VALARM\r\nDESCRIPTION:Ring\r\nEND:VALARM\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n",
        subtype="calendar",
    )
    assert read_mail(bytes(message)).text == (
        "You are invited.\n\nSummary: Sails, spars\nStart: 2025-05-07 10:00 Europe/Oslo\nEnd: 2025-05-07 11:00 UTC\n"
        "Place: Loft 7"
    )


def test_a_wrong_or_unknown_charset_is_detected() -> None:
    for charset in ("us-ascii", "no-such-thing", "utf-8"):
        raw = f"Content-Type: text/plain; charset={charset}\n\n".encode() + "Où est la fenêtre ?\n".encode("cp1252")
        assert read_mail(raw).text == "Où est la fenêtre ?"


def test_header_words_are_decoded_and_the_date_is_iso() -> None:
    mail = read_mail(
        b"Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\r\n of the town\r\nFrom: =?iso-8859-1?q?J=F6rg?= <j@example.org>\r\n"
        b"Date: Mon, 1 Jan 2024 10:00:00 +0100\r\n\r\nText.\r\n"
    )
    assert (mail.title, mail.metadata["author"]) == ("Größe of the town", "Jörg <j@example.org>")
    assert mail.metadata["created"] == "2024-01-01T10:00:00+01:00"
    assert "created" not in read_mail(b"Subject: =?no-such?q?x?=\nDate: yesterday\n\nText.").metadata


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
    assert all(0 <= block.start <= block.end <= len(mail.text) for block in mail.blocks)
    assert mail.text.encode().decode() == mail.text
