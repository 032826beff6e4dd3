"""Which questions are split into parts, and which are one question."""

import pytest

from service.parts.missing import is_missing_sentence, missing_sentence
from service.parts.question import Bond
from service.parts.splitting import split_question


def parts_of(question: str) -> list[str]:
    return [part.text for group in split_question(question).groups for part in group.parts]


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "When was Tarn Ferries founded and who runs it?",
            ["When was Tarn Ferries founded?", "Who runs Tarn Ferries?"],
        ),
        (
            "What does the season ticket cost, and when is it valid?",
            ["What does the season ticket cost?", "When is the season ticket valid?"],
        ),
        (
            "When was the old mill closed and for what purpose?",
            ["When was the old mill closed?", "For what purpose was the old mill closed?"],
        ),
        ("what are lampreys and where do they live", ["What are lampreys?", "Where do lampreys live?"]),
        (
            "Where did the settlers come from and how did they reach the fjord?",
            ["Where did the settlers come from?", "How did the settlers reach the fjord?"],
        ),
        (
            "When and where was the mill built?",
            ["When was the mill built?", "Where was the mill built?"],
        ),
        (
            "How long is the KX-2 and the KX-3, and how much do they weigh?",
            [
                "How long is the KX-2?",
                "How long is the KX-3?",
                "How much does the KX-2 weigh?",
                "How much does the KX-3 weigh?",
            ],
        ),
        (
            "Who keeps the keys of the depot in Moss? And how many people work there?",
            ["Who keeps the keys of the depot in Moss?", "How many people work in Moss?"],
        ),
        (
            "What were the sales of Alba in 2018 and of Brio in 2017?",
            ["What were the sales of Alba in 2018?", "What were the sales of Brio in 2017?"],
        ),
        (
            "What is the fee in Moss, Horten and Larvik?",
            ["What is the fee in Moss?", "What is the fee in Horten?", "What is the fee in Larvik?"],
        ),
        ("Wann öffnet das Bad und was kostet der Eintritt?", ["Wann öffnet das Bad?", "Was kostet der Eintritt?"]),
        ("Quand ouvre le musée et combien coûte le billet ?", ["Quand ouvre le musée?", "Combien coûte le billet?"]),
        ("¿Quién dirige la obra y cuándo termina?", ["Quién dirige la obra?", "Cuándo termina?"]),
    ],
)
def test_questions_of_several_parts(question: str, parts: list[str]) -> None:
    assert parts_of(question) == parts


@pytest.mark.parametrize(
    "question",
    [
        "How much was spent on research and development?",
        "What changed between 2018 and 2020?",
        "What did Johnson and Johnson pay?",
        "What happens when it rains and when the river is high?",
        "Which rules apply to people who smoke and who drink?",
        "What causes tides and how do they differ by place?",
        "Who founded and led the company?",
        "Who founded and is the head of the mill?",
        "How do I sign in and renew a card?",
        "When it rains, who closes the roof?",
        "Is the pool open on Sundays and holidays?",
        "My boat is a KX-2. What does it weigh?",
        "What is the capital of France?",
        "alcohol and tobacco",
    ],
)
def test_questions_of_one_part_are_not_split(question: str) -> None:
    assert split_question(question).is_whole
    assert parts_of(question) == [question]


def test_names_that_the_documents_may_know_as_one_and_common_things_are_marked() -> None:
    (named,) = split_question("What is the budget of Marks and Spencer?").groups
    assert (named.bond, named.phrase) == (Bond.NAMED, "Marks and Spencer")
    (weak,) = split_question("What are the terms and conditions of the lease?").groups
    assert (weak.bond, weak.phrase) == (Bond.WEAK, "the terms and conditions")


def test_a_question_of_very_many_parts_is_left_whole() -> None:
    question = "Who runs Moss and Horten, who runs Larvik and Tarn, who runs Hove and Lade, and who runs Ask and Vik?"
    assert split_question(question).is_whole


@pytest.mark.parametrize("question", ["Who leads Moss?", "Wer leitet Moss und wann war das?", "谁领导?"])
def test_a_missing_part_is_named_in_the_language_of_the_question(question: str) -> None:
    text = missing_sentence(question)
    assert text.endswith(question)
    assert is_missing_sentence(text, question)
    assert not is_missing_sentence(text, "Who leads Larvik?")
