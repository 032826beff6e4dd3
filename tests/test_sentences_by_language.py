"""Sentence spans in many languages: ordinals, abbreviations, initials, and scripts without blanks or full stops."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.chunking.sentences import paragraph_sentences


def sentences(text: str, language: str) -> list[str]:
    return [text[start:end] for start, end in paragraph_sentences(text, language)]


SENTENCES = {
    "de": [
        "Der Vertrag beginnt am 1. März 2021 und endet am 28. Februar 2026.",
        "Die Gebühr ist bis zum 3. Werktag fällig.",
        "Sie beträgt 1.250,50 € zzgl. Nebenkosten.",
        "Im 19. Jahrhundert galt z. B. Abs. 2 S. 1 Nr. 3 bzw. § 5.",
        "Frau Dr. Meier kam am 5.",
        "Danach ging die Fa. Hill mit Äpfeln, Birnen usw.",
        "Er starb 14 n. Chr. in Nola.",
        "Das Netz umfasst (a) Rohre und (b) Pumpen.",
        "Der Schlauch misst 32 mm.",
        "Er hält.",
        "Er traf Heinrich VIII.",
        "Danach gab es: 1. Brot.",
        "2. Wasser.",
        "3. Wein.",
        "30 Euro reichen, siehe Abschn. 4 und Anl. 5.",
    ],
    "fr": [
        "M. Le Pont et Mme. Durand voient p. ex. la p. 12.",
        "J.-C. Martin vit au 5, av. Foch.",
        "« Viens ! » dit-il.",
        "Elle part.",
    ],
    "es": [
        "El Sr. García vive en EE. UU. desde 1990.",
        "La ciudad se fundó en 300 a. C. por los griegos.",
        "El tubo mide 32 mm.",
        "Antes de usarlo, véase la pág. 3.",
        "¿Qué hay?",
        "¡Mucho!",
        "La Acme S.A. vive en la calle n.º 5.",
        "El art. 5.",
        "Los demás no.",
    ],
    "it": ["Il Sig. Rossi cita l'art. 5 e la pag. 3.", "La legge tace."],
    "pt": ["O Sr. Silva mora na R. Augusta, ver p. ex. a pág. 5.", "A casa é nova."],
    "nl": ["Mevr. de Vries komt d.w.z. op blz. 5.", "Het regent."],
    "sv": ["Det är t.ex. sant kl. 5 på dagen.", "Han kom den 3. Mai."],
    "nb": ["Den 1. mars kom han.", "Den 17. Mai er en fest."],
    "pl": ["Umowa trwa od 1. marca 2021 r. przy ul. Długiej, zob. str. 5 i art. 6.", "Prof. Hill śpi."],
    "ru": [
        "А. С. Пушкин родился в 1799 г.",
        "Он жил, т. е. писал, в г. Москве.",
        "Это стоит 5 тыс. руб. в месяц и т. д.",
        "Дальше ничего.",
        "Цена 100 руб.",
        "Оплата сразу.",
    ],
    "tr": ["Kira ayın 5. gününde ödenir.", "Dr. Yılmaz burada."],
    "ar": ["هل هذا صحيح؟", "نعم.", "د. أحمد هنا."],
    "ur": ["یہ پہلا ہے۔", "کیا؟"],
    "hi": ["किराया पाँच हज़ार है।", "डॉ. शर्मा यहाँ हैं।", "क्या?"],
    "km": ["នេះជាប្រយោគ។", "នេះជាប្រយោគទីពីរ។"],
    "el": ["Ο κ. Παππάς μένει εδώ.", "Τι είναι;"],
    "xx": ["Ulica ma 5 km. dalej nic.", "Koniec."],
}


@pytest.mark.parametrize("language", SENTENCES)
def test_sentences_follow_the_language(language: str) -> None:
    expected = SENTENCES[language]
    assert sentences(" ".join(expected), language) == expected
    assert sentences("\n".join(expected), f"{language}-XX") == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("zh", ["加班费按一点五倍计算。", "周末是两倍！", "真的吗？", "价格是3.5元。"]),
        ("zh", ["“走吧！”，他说。", "“好。”", "第二天下雨。"]),
        ("ko", ['"정말?"이라고 물었다.', " 그는 3.5%를 얻었다."]),
        ("ja", ["U.S.A.です。", "彼は「はい。」と言った。", "門限は十一時です！", "そう？"]),
    ],
)
def test_sentences_without_blanks_end_at_their_own_full_stops(language: str, expected: list[str]) -> None:
    assert sentences("".join(expected), language) == [sentence.strip() for sentence in expected]


def test_thai_ends_at_a_blank_once_it_is_long_enough() -> None:
    first, second = "ค่าเช่าเดือนละห้าพันบาท ต้องจ่ายก่อนวันที่ห้า", "ห้ามเลี้ยงสัตว์ใน 3 ห้อง"
    assert sentences(f"{first} {second}", "th") == [first, second]


def test_a_quotation_or_bracket_stays_whole() -> None:
    text = "Er sagte: „Das ist gut. Wir gehen.“ Dann ging er. (Siehe dort. Und hier.)"
    assert sentences(text, "de") == [
        "Er sagte: „Das ist gut. Wir gehen.“", "Dann ging er.", "(Siehe dort. Und hier.)",
    ]  # fmt: skip


def test_line_breaks_and_blank_lines_of_a_paragraph_are_white_space() -> None:
    text = "• The rule\n\nholds for all.\r\nIt ends\u2028here.\fNow."
    assert sentences(text, "en") == ["• The rule\n\nholds for all.", "It ends\u2028here.", "Now."]


def test_a_paragraph_longer_than_one_reading_has_the_same_sentences() -> None:
    expected = [f"Satz {number} gilt ab dem {number % 28}. März." for number in range(1, 1000)]
    assert sentences(" ".join(expected), "de") == expected
    assert len(sentences("wort " * 10_000, "de")) == 1


PIECES = st.sampled_from(
    [
        "z. B. ",
        "1. ",
        "März ",
        "J.-C. ",
        "(b) ",
        "“",
        "」",
        "と",
        "。",
        "۔ ",
        "ก ข",
        "32 mm. ",
        "\n",
        "។",
        ".",
        " ",
        "m. a. ",
    ]
)


@given(
    st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=50).map("".join), st.sampled_from([*SENTENCES, "th", ""])
)
def test_spans_are_literal_ordered_trimmed_and_cover_every_word_in_any_language(text: str, language: str) -> None:
    spans = paragraph_sentences(text, language)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
    outside = list(text)
    for start, end in spans:
        outside[start:end] = " " * (end - start)
    assert not any(character.isalnum() for character in outside)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("", "Zob. art. 5.| Sn. Kaya kalkar.| Tri Virtanen johtaa sitä 1. toukokuuta alkaen."),
        ("en", "It employs approx. 40 people.| It is new."),
        ("fr", "Le bac part du quai no. 4 le matin.| Il est plein."),
        ("pl", "Nowak mieszka przy ul. Długiej.| Jest lekarzem."),
        ("tr", "Kaya Cad. No. 5 adresinde oturur.| Bu yeni."),
        ("ja", "「休みです。」と言った。|3メートルまで可能です。"),
    ],
)
def test_abbreviations_before_names_and_figures_end_no_sentence(language: str, text: str) -> None:
    body = text.replace("|", "")
    found = [body[slice(*span)] for span in paragraph_sentences(body, language)]
    assert found == [part.strip() for part in text.split("|")]
