"""The languages of blocks: of whole documents, of blocks in another language, by script, and what readers have set."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.blocks.block import Block, Kind
from index.blocks.codec import pack, unpack_languages
from index.languages.detection import document_language, language_of, with_languages
from tests.growth import assert_growth

PASSAGES = {
    "en": "The library is closed on Sundays, and the reading room opens at nine for all who hold a card.",
    "de": "Die Bücherei ist am Sonntag geschlossen, und der Lesesaal öffnet um neun für alle mit einem Ausweis.",
    "fr": "La bibliothèque est fermée le dimanche, et la salle de lecture ouvre à neuf heures pour les abonnés.",
    "es": "La biblioteca está cerrada los domingos, y la sala de lectura abre a las nueve para los socios.",
    "it": "La biblioteca è chiusa la domenica, e la sala di lettura apre alle nove per chi ha una tessera.",
    "pt": "A biblioteca está fechada aos domingos, e a sala de leitura não abre às nove para os sócios.",
    "nl": "De bibliotheek is op zondag gesloten, en de leeszaal gaat om negen uur open voor wie een kaart heeft.",
    "sv": "Biblioteket är stängt på söndagar, och läsesalen öppnar klockan nio för alla som har ett kort.",
    "da": "Biblioteket er lukket om søndagen, og læsesalen åbner klokken ni for alle, der har et kort.",
    "pl": "Biblioteka jest zamknięta w niedziele, a czytelnia otwiera się o dziewiątej dla osób z kartą.",
    "cs": "Knihovna je v neděli zavřená a čtenářský sál se otevírá v devět hodin pro všechny, kdo mají průkaz.",
    "hu": "A könyvtár vasárnap zárva van, és az olvasóterem kilenckor nyit azoknak, akiknek van kártyájuk.",
    "tr": "Kütüphane pazar günleri kapalıdır ve okuma salonu kartı olan herkes için saat dokuzda açılır.",
    "ru": "Библиотека закрыта по воскресеньям, а читальный зал открывается в девять часов.",
    "uk": "Бібліотека зачинена в неділю, а читальна зала відкривається о дев'ятій годині.",
    "el": "Η βιβλιοθήκη είναι κλειστή.",
    "zh": "图书馆星期天不开门。",
    "ja": "図書館は日曜日に休みです。",
    "ko": "도서관은 일요일에 닫습니다.",
    "ar": "المكتبة مغلقة يوم الأحد.",
    "fa": "کتابخانه روزهای جمعه تعطیل است و سالن مطالعه ساعت نه باز می‌شود.",
    "hi": "पुस्तकालय रविवार को बंद रहता है।",
    "th": "ห้องสมุดปิดวันอาทิตย์",
    "he": "הספרייה סגורה בשבת.",
    "ta": "நூலகம் மூடப்பட்டுள்ளது.",
    "km": "បណ្ណាល័យបិទ។",
}


def written(*parts: str) -> tuple[str, list[Block]]:
    """A document of paragraphs."""
    text = "\n\n".join(parts)
    blocks: list[Block] = []
    start = 0
    for part in parts:
        blocks.append(Block(Kind.PARAGRAPH, start, start + len(part)))
        start += len(part) + 2
    return text, blocks


@pytest.mark.parametrize("language", PASSAGES)
def test_a_document_has_the_language_of_its_text(language: str) -> None:
    text, blocks = written(PASSAGES[language], "2024")
    assert [block.language for block in with_languages(text, blocks)] == [language, language]
    assert document_language(PASSAGES[language]) == language


def test_a_long_block_in_another_language_has_that_language() -> None:
    text, blocks = written(*[PASSAGES["de"]] * 3, PASSAGES["en"], "Short English", PASSAGES["fr"], PASSAGES["zh"])
    assert [block.language for block in with_languages(text, blocks)] == ["de", "de", "de", "en", "de", "fr", "zh"]


@pytest.mark.parametrize(
    ("language", "heading"),
    [("ja", "営業時間"), ("uk", "Час"), ("fa", "كتاب"), ("zh", "PostgreSQL"), ("fr", "Opening")],
)
def test_a_short_block_of_a_shared_script_is_in_the_language_of_its_document(language: str, heading: str) -> None:
    text, blocks = written(heading, PASSAGES[language] * 2)
    assert [block.language for block in with_languages(text, blocks)] == [language, language]


@pytest.mark.parametrize("language", ["uk", "zh", "ar", "th"])
def test_a_paragraph_in_another_script_has_its_language(language: str) -> None:
    text, blocks = written(*[PASSAGES["en"]] * 5, PASSAGES[language])
    assert [block.language for block in with_languages(text, blocks)] == ["en"] * 5 + [language]


@pytest.mark.parametrize(
    "code",
    [
        "def main(arguments): return evaluate(arguments[0], configuration=load_configuration(arguments[1]))",
        "xsltEvalTemplateString xsltExtensionInstructionResultRegister xsltGetNamespace xsltAddStackElemList",
        "curl -s http://127.0.0.1:8000/v1/feedback?format=jsonl > feedback.jsonl; grep -c rating feedback.jsonl",
        "Acme Corp. Q3 2024 | 1,234 | 5.6% | Berlin, Paris, Madrid, Oslo, Helsinki, Amsterdam, Budapest, Lisboa",
    ],
)
def test_names_and_programs_are_in_the_language_of_their_document(code: str) -> None:
    text, blocks = written(*[PASSAGES["en"]] * 3, code)
    assert [block.language for block in with_languages(text, blocks)] == ["en"] * 4
    assert language_of(code) in ("", "en")


def test_text_without_letters_has_no_language() -> None:
    text, blocks = written("12 345", "--- | ---")
    assert [block.language for block in with_languages(text, blocks)] == ["", ""]


def test_what_the_reader_has_set_stays_and_holds_inside() -> None:
    text = PASSAGES["en"] + "\n" + "Item one"
    end = len(PASSAGES["en"])
    blocks = [
        Block(Kind.PARAGRAPH, 0, end),
        Block(Kind.LIST, end + 1, len(text), language="nl"),
        Block(Kind.ITEM, end + 1, len(text), parent=1),
    ]
    assert [block.language for block in with_languages(text, blocks)] == ["en", "nl", ""]


def test_a_held_block_names_its_language_only_where_it_differs() -> None:
    text = "Words\n" + PASSAGES["ja"]
    blocks = [
        Block(Kind.LIST, 0, len(text)),
        Block(Kind.ITEM, 0, 5, parent=0),
        Block(Kind.ITEM, 6, len(text), parent=0),
        Block(Kind.CODE, 6, len(text), parent=2),
    ]
    assert [block.language for block in with_languages(text, blocks)] == ["ja", "", "", ""]
    other = PASSAGES["en"] + "\n" + text
    shifted = [Block(Kind.LIST, 0, len(other)), Block(Kind.ITEM, other.index("図"), len(other), parent=0)]
    assert [block.language for block in with_languages(other, shifted)] == ["en", "ja"]


@given(st.text(alphabet=st.characters(codec=None), max_size=300))
def test_any_text_has_a_code_of_two_letters_or_none(text: str) -> None:
    assert len(document_language(text)) in (0, 2)
    blocks = with_languages(text, [Block(Kind.PARAGRAPH, 0, len(text))])
    assert len(blocks[0].language) in (0, 2)


@pytest.mark.parametrize("unit", ["wort und ", "字", "-", "a", " "])
def test_time_does_not_grow_with_the_length_of_a_block(unit: str) -> None:
    def work(text: str) -> None:
        with_languages(text, [Block(Kind.PARAGRAPH, 0, len(text))])

    short, long = ((unit * length)[:length] for length in (20_000, 2_000_000))
    assert_growth(work, short, long, limit=10)  # a hundred times the text


def test_answering_does_not_load_the_detector() -> None:
    script = "import sys, index.collection, service.cli.app; sys.exit('gcld3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parent.parent, check=False).returncode == 0


def test_stored_blocks_say_where_each_language_begins() -> None:
    blocks = [
        Block(Kind.LIST, 0, 100, language="en"),
        Block(Kind.ITEM, 5, 20, 0, language="de"),
        Block(Kind.ITEM, 20, 100, 0),
        Block(Kind.PARAGRAPH, 110, 120, language="fr"),
        Block(Kind.PARAGRAPH, 130, 140, language="fr"),
    ]
    assert unpack_languages(pack(blocks)) == [(0, "en"), (5, "de"), (20, "en"), (110, "fr")]
    assert unpack_languages(b"") == []
