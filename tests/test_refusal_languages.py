"""A refusal is said in the language of the question."""

import pytest

from service.text.refusals import OTHER_LANGUAGE, REFUSAL, REFUSALS, is_own_refusal, is_refusal, refusal_of

QUESTIONS = {
    "en": "How high is the rent of the boat?",
    "de": "Wie heißt der Vermieter?",
    "fr": "Quels jours la bibliothèque est-elle fermée ?",
    "es": "¿Cada cuánto se limpia el filtro?",
    "it": "Quando apre la biblioteca?",
    "pt": "Quando é que a biblioteca não abre?",
    "nl": "Wanneer is de bibliotheek gesloten?",
    "ru": "Сколько стоит аренда?",
    "zh": "加班费怎么计算?",
    "ja": "寮費はいくらですか？",
    "ar": "كم رسوم موقف السيارات في اليوم؟",
}


@pytest.mark.parametrize("language", REFUSALS)
def test_the_question_decides_the_language_of_the_refusal(language: str) -> None:
    assert refusal_of(QUESTIONS[language]) == REFUSALS[language]


@pytest.mark.parametrize(
    "question",
    [
        "", "Rent?", "Do I pay a no-show fee?", "max_connections", "Who is Die Hard's la Vega?", "Скільки коштує оренда?",
        "کرایه چقدر است؟", "किराया कितना है?", "Kündigungsfrist?", "What does 会 mean in the rules?",
        "On which days is it open?",
    ],
)  # fmt: skip
def test_the_refusal_is_english_where_the_language_is_unknown_or_has_none(question: str) -> None:
    assert refusal_of(question) == REFUSAL


def test_a_model_that_repeats_a_refusal_refuses_in_every_language() -> None:
    assert all(is_refusal(refusal) for refusal in REFUSALS.values())
    assert not is_refusal("Die Miete beträgt 500 Euro.")


@pytest.mark.parametrize("language", REFUSALS)
def test_documents_in_another_language_are_said_to_be_so(language: str) -> None:
    english = "The rent of the boat is not given in this list, which was made for the members of the club in May."
    german = (
        "Die Miete des Bootes ist nicht in der Liste, die von der Werft für den Verein und mit dem Rat gemacht wird."
    )
    other, own = (german, english) if language == "en" else (english, QUESTIONS[language])
    said = refusal_of(QUESTIONS[language], [other, "12 - 40"])
    assert said == OTHER_LANGUAGE[language]
    assert is_refusal(said)
    assert is_own_refusal(said)
    assert refusal_of(QUESTIONS[language], ["12 - 40"]) == REFUSALS[language]
    if language in ("en", "zh"):
        assert refusal_of(QUESTIONS[language], [other, own]) == REFUSALS[language]
