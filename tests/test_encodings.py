"""Text files in encodings older than Unicode: read right, or rejected, and never silently wrong."""

import codecs

import pytest

from index.formats.canonical import BadEncoding, NotText, decode_text
from index.formats.encodings.letters import (
    ARABIC,
    BALTIC,
    CENTRAL,
    CYRILLIC,
    GREEK,
    HEBREW,
    LANGUAGES,
    TURKISH,
    WESTERN,
)
from tests.growth import assert_linear

LINES = {
    "en": "The café is open, and the “best” view is from the pier — so they say.",
    "de": "Die Gebühr beträgt zwölf Euro und ist früh zu zahlen.",
    "fr": "Les élèves sont arrivés très tôt à l'école.",
    "es": "La cuota es de treinta euros al año y se paga en marzo.",
    "pt": "As inscrições terminam em março e não são pagas.",
    "it": "Il porto chiude perché c'è vento e la città è lontana.",
    "nl": "Er zijn twee cafés aan het water, en de coördinator is ziek.",
    "da": "Havnen åbner klokken seks og lukker, når det er mørkt.",
    "sv": "Avgiften är två hundra kronor per år och betalas före första maj.",
    "fi": "Avaimet ovat toimistossa, joka on sillan vieressä.",
    "is": "Lyklarnir eru í húsinu við bryggjuna og það er opið.",
    "sq": "Librat jepen për një muaj dhe vonesa paguhet.",
    "et": "Tasu on kakskümmend eurot ja võti on kontoris.",
    "lt": "Prieplaukos mokestis yra dvidešimt eurų per dieną.",
    "lv": "Katrs īpašnieks maksā nodevu līdz maijam, un atslēgas ir pie sarga.",
    "pl": "Żeglarze płacą dwieście złotych za miejsce postojowe. Klucze są u bosmana.",
    "cs": "Poplatek činí sto korun za noc a klíče jsou u správce.",
    "sk": "Poplatok je desať eur za noc a kľúče sú u správcu.",
    "hu": "A kikötői díj naponta kétezer forint. Az őrség éjjel-nappal elérhető.",
    "ro": "Taxa este de douăzeci de lei pe zi şi se plăteşte la birou.",
    "hr": "Članarina iznosi sto eura i plaća se u uredu.",
    "sl": "Ključi so pri čuvaju, ki je tam vsak dan.",
    "tr": "İskele ücreti günlük kırk liradır. Anahtar bekçide durur.",
    "ru": "Плата за стоянку составляет двести рублей, и она вносится в конторе.",
    "uk": "Плата за стоянку становить двісті гривень, і ключі в сторожа.",
    "bg": "Таксата е двадесет лева на ден и се плаща в офиса.",
    "sr": "Чланарина износи сто динара и плаћа се у канцеларији.",
    "el": "Η χρέωση είναι είκοσι ευρώ την ημέρα και τα κλειδιά είναι στο γραφείο.",
    "he": "המפתח נמצא אצל השומר של הנמל, והמחיר הוא עשרים.",
    "ar": "المفاتيح عند الحارس في المكتب كل يوم من الصباح إلى المساء.",
}  # fmt: skip
SHORT = (
    "Öffnungszeiten", "Grüße aus Köln", "Défense d'entrer", "Crème brûlée", "Señor Núñez", "Órgãos públicos",
    "Jørgensen, Åse", "Smørrebrød og øl på tilbud.", "Köttbullar och sås", "Źle się dzieje", "Uwaga, głęboki wykop!",
    "Žluťoučký kůň", "Příliš dlouhá řeka", "Fűtés csak ősztől működik.", "Petőfi Sándor", "Tűzoltóság", "Şehir",
    "Liman kışın kapalıdır.", "Dikkat, köpek var!", "Dėmesio, statybos!", "Wstęp wzbroniony", "Chléb a máslo",
    "Осторожно, стройка!", "Хлеб и масло", "Ψωμί και βούτυρο", "¿Cuándo abre?", "« Où est la clé ? »", "m² – 20 °C",
)  # fmt: skip
UNLISTED = {
    "iso8859_3": ("La trajno foriras ĉiumatene je la sesa, kaj ĝi alvenas.", "Il-librerija hija magħluqa u ż-żjara bla ħlas."),
    "iso8859_14": ("Mae'r llyfrgell ar gau dydd Sul, a ŵyl fawr yn y tŷ.", "Tha an leabharlann dùinte Didòmhnaich."),
    "cp874": ("ห้องสมุดปิดวันอาทิตย์", "ท่าเรือเปิดทุกวัน"),
    "cp1251": ("Ол үйде отыр.".replace("ү", "Ї"), "Нема влез."),
}  # fmt: skip
ALL = (
    *WESTERN,
    *CENTRAL,
    *TURKISH,
    *BALTIC,
    *CYRILLIC,
    *GREEK,
    *HEBREW,
    *ARABIC,
    "iso8859_1",
    "iso8859_9",
    "iso8859_13",
)


def read(data: bytes) -> str | None:
    """The text; None if the file is rejected."""
    try:
        return decode_text(data)[0]
    except (BadEncoding, NotText):
        return None


def encoded(text: str, encoding: str) -> bytes | None:
    try:
        data = text.encode(encoding)
    except UnicodeEncodeError:
        return None
    return None if data.isascii() else data


@pytest.mark.parametrize("language", LINES)
def test_a_line_is_read_in_the_encodings_of_its_language(language: str) -> None:
    likeliest = LANGUAGES[language].encodings[0]
    for text in (LINES[language], f"{LINES[language]}\n{LINES[language].upper()}\n", f"{LINES[language]}\r\n" * 500):
        assert read(text.encode(likeliest)) == text


def test_no_text_is_read_wrong_in_any_encoding() -> None:
    wrong, right = [], 0
    for text in (*LINES.values(), *SHORT, *(" ".join(pair) for pair in zip(LINES.values(), SHORT, strict=False))):
        for encoding in ALL:
            data = encoded(text, encoding)
            got = None if data is None else read(data)
            right += got == text
            wrong += [(encoding, text, got)] if got not in (None, text) else []
    assert wrong == []
    assert right > 300


def test_languages_that_are_not_known_are_not_taken_for_others() -> None:
    for encoding, texts in UNLISTED.items():
        assert [read(text.encode(encoding)) for text in texts] == [None, None]


@pytest.mark.parametrize(
    ("text", "encodings"),
    [
        ("料金は一日二千円です。\n鍵は事務所にあります。", ("cp932", "euc_jp", "iso2022_jp")),
        ("停船费用是每天二十元。\n钥匙在办公室里。", ("gb18030",)),
        ("停船費用是每天二十元。\n鑰匙在辦公室裡。", ("big5",)),
        ("요금은 하루에 이만 원입니다.\n열쇠는 사무실에 있습니다.", ("cp949", "euc_kr", "iso2022_kr")),
    ],
)
def test_chinese_japanese_and_korean_are_read(text: str, encodings: tuple[str, ...]) -> None:
    for encoding in encodings:
        assert read(text.encode(encoding)) == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text", ["The fee is 12 euros.\r\n", "Плата двести рублей.", "港は毎日 開いています。\n", "A B"]
)
def test_utf_16_without_a_mark_is_read(encoding: str, text: str) -> None:
    assert decode_text(text.encode(encoding)) == (text, encoding)


def test_bytes_with_nul_that_are_not_utf_16_are_no_text() -> None:
    for data in (b"\x00\x01\x02\x03 \x00\x00", b"MZ\x90\x00\x03\x00\x00\x00\x04\x00 \x00", "ab c".encode("utf-32-le")):
        with pytest.raises(NotText):
            decode_text(data)


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ('<?xml version="1.0" encoding="ISO-8859-2"?>\n<a>{}</a>', "iso8859_2"),
        ('<!doctype html>\n<html><head><meta charset="windows-1257"></head>{}</html>', "cp1257"),
        ("<html><meta http-equiv='Content-Type' content='text/html; charset=ISO-8859-9'>{}</html>", "cp1254"),
        ("# -*- coding: cp1250 -*-\nname = '{}'\n", "cp1250"),
        ("#!/bin/sh\n# vim: set fileencoding=latin2 :\n{}\n", "iso8859_2"),
        ('@charset "koi8-r";\n/* {} */', "koi8_r"),
    ],
)
def test_an_encoding_that_the_text_names_itself_counts(head: str, encoding: str) -> None:
    word = {"cp1257": "Žąsis", "cp1254": "Şişe", "koi8_r": "Ёж"}.get(encoding, "Źrebię")
    text = head.format(word)
    assert read(text.encode(encoding)) == text


def test_a_named_encoding_that_does_not_fit_and_one_that_there_is_not_are_not_believed() -> None:
    line = LINES["pl"]
    for name in ("utf-8", "ascii\x00", "no-such", "base64", "utf-16"):
        text = f'<?xml version="1.0" encoding="{name}"?>\n{line}'
        assert read(text.encode("cp1250")) in (None, text)
    damaged = b'<meta charset="utf-8">\n' + "Grüße, Käse und Öl für alle".encode() + b"\xff"
    with pytest.raises(BadEncoding, match="not valid UTF-8"):
        decode_text(damaged)


def test_a_long_text_is_checked_to_its_end() -> None:
    start = (LINES["hu"] + "\r\n") * 8_000
    end = ("Żeglarze płacą dwieście złotych za miejsce postojowe, są u bosmana.\r\n") * 2_000
    with pytest.raises(BadEncoding, match="its encoding is not certain"):
        decode_text((start + end).encode("iso8859_2"))
    assert read((start + end).encode("cp1250")) == start + end


def test_the_message_says_that_the_encoding_is_uncertain() -> None:
    with pytest.raises(BadEncoding, match=r"its encoding is not UTF-8 \(byte 0\), and which older encoding it is in"):
        decode_text("Źle".encode("cp1250"))


def test_every_language_can_be_written_in_its_encodings() -> None:
    for name, language in LANGUAGES.items():
        assert all(codecs.lookup(encoding) for encoding in language.encodings)
        assert all(letter > "\x7f" and letter == letter.lower() for letter in language.letters), name


def test_hostile_bytes_are_decided_in_linear_time() -> None:
    for piece in (b"\xe9", b"\xe9 ", b"a\xe9b\x96", bytes(range(128, 256)), b"\xb3\xbf\xe6 "):
        assert_linear(read, lambda size, piece=piece: piece * (size // len(piece)) + b"!", 2_000)


@pytest.mark.parametrize(
    ("text", "encodings"),
    [
        ("Ключ от сарая висит у двери. Лодку красят весной.", "cp1251 koi8_r cp866 iso8859_5 mac_cyrillic"),
        ("המוזיאון נפתח בתשע. הכניסה חופשית לתלמידים.", "cp1255 iso8859_8 cp862"),
    ],
)
def test_the_commonest_letters_show_the_encoding_of_a_text_without_function_words(text: str, encodings: str) -> None:
    for encoding in encodings.split():
        assert decode_text(text.encode(encoding))[0] == text
