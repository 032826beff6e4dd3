"""Words found in their other forms in many languages, and inside texts without blanks; English as if there were none."""

import math
from collections.abc import Iterator
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.chunking.chunker import chunk_document
from index.embedding.encoder import HashedEncoder
from index.formats.limits import Limits
from index.formats.parse import parse_document
from index.formats.registry import format_of
from index.ledger.rows import ChunkedDocument
from index.ledger.sqlite.ledger import SqliteLedger
from index.lexicon.index import Lexicon
from index.lexicon.stems import indexed_terms, letter_terms, stems_of_word
from index.records import Chunk, Document

ENGLISH = ("The rent of the boat is due on the first day.", "The pump is filled with water before it is used.")
GERMAN = (
    "Die Kündigungsfrist für den Bootsschuppen ist sechs Wochen, und die Häuser werden von der Stadt vermietet.",
    "Die Gebühren sind am ersten Werktag fällig und werden nicht erstattet.",
)
FRENCH = ("Les inscriptions sont ouvertes au public, et la salle est fermée le lundi.",)
CHINESE = ("加班费按一点五倍计算。", "会议室在二楼。")
JAPANESE = ("寮費は月三万五千円です。", "門限は午後十一時です。")
THAI = ("ค่าเช่าเดือนละห้าพันบาทต้องจ่ายก่อนวันที่ห้า", "ห้ามเลี้ยงสัตว์ในห้องพัก")
RUSSIAN = ("Плата за стоянку взимается в библиотеке.", "Ещё один зал закрыт.")
ARABIC = ("رسوم المواقف عشرون ريالا في اليوم والمكتبة مغلقة.", "القاعة مفتوحة للجميع.")
HINDI = ("किराया पाँच हज़ार रुपये है।", "पुस्तकालय रविवार को बंद रहता है।")
KOREAN = ("도서관은 일요일에 닫습니다.", "월세는 오십만 원입니다.")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite", encoder="e", dimension=2)
    yield ledger
    ledger.close()


def filled(ledger: SqliteLedger, folder: Path, *texts: str) -> Lexicon:
    for number, text in enumerate(texts):
        name = f"d{number}"
        document = Document(name, "v", f"file:///{name}", "", "text/plain", text)
        ledger.change([ChunkedDocument(document, [Chunk(name, name, "v", 0, 0, len(text), text)])], [])
    lexicon = Lexicon(folder)
    lexicon.catch_up(ledger)
    return lexicon


def found(lexicon: Lexicon, ledger: SqliteLedger, query: str) -> list[str]:
    hits = lexicon.search(query, 10)
    rows = ledger.chunks.get([number for number, _ in hits])
    return [rows[number].chunk.text for number, _ in hits]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("Kündigungsfristen", GERMAN[0]),
        ("Haus mieten", GERMAN[0]),
        ("Gebühr", GERMAN[1]),
        ("inscription", FRENCH[0]),
        ("加班费怎么计算", CHINESE[0]),
        ("会议室", CHINESE[1]),
        ("寮費はいくらですか", JAPANESE[0]),
        ("門限", JAPANESE[1]),
        ("ค่าเช่าเท่าไร", THAI[0]),
        ("เลี้ยงสัตว์ได้ไหม", THAI[1]),
        ("стоянка", RUSSIAN[0]),
        ("еще залы", RUSSIAN[1]),
        ("الرسوم", ARABIC[0]),
        ("مكتبة", ARABIC[0]),
        ("قاعة", ARABIC[1]),
        ("किराये कितने", HINDI[0]),
        ("도서관이 언제", KOREAN[0]),
        ("pumps", ENGLISH[1]),
    ],
)
def test_a_word_is_found_in_another_form_or_inside_a_text_without_blanks(
    ledger: SqliteLedger, tmp_path: Path, query: str, text: str
) -> None:
    texts = (*ENGLISH, *GERMAN, *FRENCH, *CHINESE, *JAPANESE, *THAI, *RUSSIAN, *ARABIC, *HINDI, *KOREAN)
    lexicon = filled(ledger, tmp_path / "lexicon", *texts)
    assert found(lexicon, ledger, query)[0] == text


def test_words_side_by_side_count_more_than_the_same_ideographs_apart(ledger: SqliteLedger, tmp_path: Path) -> None:
    together, apart = "东京大学在这里。", "东边的京城有大的学校。"
    lexicon = filled(ledger, tmp_path / "lexicon", apart, together)
    assert found(lexicon, ledger, "东京大学") == [together, apart]


def test_a_stem_matches_in_texts_of_its_language_only(ledger: SqliteLedger, tmp_path: Path) -> None:
    lexicon = filled(ledger, tmp_path / "lexicon", *GERMAN, "The gebuhr is a word of the test and is not in it.")
    assert found(lexicon, ledger, "Gebühren") == [GERMAN[1]]


def test_a_word_that_matches_as_it_stands_and_as_a_stem_counts_once(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Its score is that of the word: BM25 with three entries, the mark among them, of 10, 12 and 0 words."""
    texts = (
        "Quintessa ist der Name und die Stadt ist klein genug",
        "Das ist nicht der Ort und die Zeit war auf dem Land",
    )
    lexicon = filled(ledger, tmp_path / "lexicon", *texts)
    ((_, score),) = lexicon.search("Quintessa", 10)
    idf = math.log(1 + (3 - 1 + 0.5) / (1 + 0.5))
    assert score == pytest.approx(idf * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 10 / (22 / 3))), rel=1e-5)


def test_english_texts_have_no_stems() -> None:
    assert [list(indexed_terms(text)) for text in ENGLISH] == [[], []]
    assert list(indexed_terms("The beta of the cell (β-cell, 5 µm) is in the α-helix.")) == []
    assert stems_of_word("running", ()) == []


def test_letters_side_by_side_are_terms() -> None:
    assert list(letter_terms("东京大 A 学")) == ["东京", "京大", "学"]
    assert list(letter_terms("กขคง")) == ["กขค", "ขคง"]


@given(st.text(max_size=200))
def test_terms_hold_no_white_space(text: str) -> None:
    for term in (*indexed_terms(text), *letter_terms(text), *stems_of_word(text, ("de", "tr"))):
        assert term.split() == [term]


def test_the_language_of_a_question_decides_its_stems(ledger: SqliteLedger, tmp_path: Path) -> None:
    lexicon = filled(ledger, tmp_path / "lexicon", *GERMAN, *FRENCH)
    assert found(lexicon, ledger, "Gebühr") == [GERMAN[1]]
    assert found(lexicon, ledger, "Wie hoch ist eine Gebühr?")[0] == GERMAN[1]
    assert found(lexicon, ledger, "What is the Gebühr of that?") == []


def read(ledger: SqliteLedger, folder: Path, text: str) -> Lexicon:
    """The lexicon of one Markdown document, read and cut as a file is."""
    file = PurePath("a.md")
    found_format = format_of(file)
    assert found_format is not None
    document = parse_document(text.encode(), file, "file:///a.md", Limits(), found_format)
    ledger.change([ChunkedDocument(document, chunk_document(document, HashedEncoder().token_offsets))], [])
    lexicon = Lexicon(folder)
    lexicon.catch_up(ledger)
    return lexicon


@pytest.mark.parametrize(
    ("paragraph", "query"),
    [
        ("Die Gebühr ist am ersten Werktag des Monats fällig und wird von der Stadtkasse nicht erstattet.", "Gebühren"),
        (
            "Avgiften är inte med i priset och den som har en båt betalar till hamnkontoret för varje natt.",
            "avgifterna",
        ),
        ("Les inscriptions sont ouvertes au public et la grande salle est fermée pour travaux le lundi.", "fermer"),
    ],
)
def test_a_foreign_paragraph_inside_an_english_document_is_found_by_another_form_of_its_words(
    ledger: SqliteLedger, tmp_path: Path, paragraph: str, query: str
) -> None:
    english = (
        "The rent of the boat is due on the first day of the month, and the pump is checked before it is used.\n\n" * 8
    )
    lexicon = read(ledger, tmp_path / "lexicon", f"{english}{paragraph}\n\n{english}")
    (text, *others) = found(lexicon, ledger, query)
    assert paragraph in text
    assert not others


def test_a_short_item_has_the_language_of_its_document(ledger: SqliteLedger, tmp_path: Path) -> None:
    lexicon = read(ledger, tmp_path / "lexicon", "\n\n".join([*GERMAN, "# Sonstiges", "- Hafengebühr: 12 Euro"]))
    assert found(lexicon, ledger, "Hafengebühren") == ["# Sonstiges\n\n- Hafengebühr: 12 Euro"]


def test_english_paragraphs_beside_a_foreign_one_have_no_stems_in_its_language() -> None:
    stretches = [("en", "The rent is due."), ("de", "Die Gebühr ist fällig."), ("en", "The pump is old.")]
    terms = list(indexed_terms("The rent of the boat is due. Die Gebühr ist fällig. The pump is old.", stretches))
    assert terms == ["de:", "de:die", "de:gebuhr", "de:ist", "de:fallig"]
