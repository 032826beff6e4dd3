"""A sentence that says of another name what the question asks of its own answers another question."""

import pytest

from service.text.ties import TiedName


@pytest.mark.parametrize(
    ("question", "name", "sentence"),
    [
        ("Who leads the office in Tampere?", "Tampere", "The office in Porto is led by Marta Sequeira."),
        ("Who leads the office in Tampere?", "Tampere", "Marta Sequeira leads the Porto office."),
        ("Who leads Tampere's office?", "Tampere", "The office in Porto is led by Marta."),
        ("When was FEMA created?", "FEMA", "NARA was created in 1934."),
        ("What was the warranty of Zeta pumps?", "Zeta", "The warranty of Alfa pumps is two years."),
        ("Who did Oder Ropes acquire in 2022?", "Oder Ropes", "In 2022, Havel Nets acquired two makers of sails."),
        ("When did it complete its purchase of Spree?", "Spree", "In May we completed the purchase of Havel Nets."),
        ("What were Oder's net sales?", "Oder", "In June, Havel's net sales rose to 4 million."),
    ],
)
def test_another_name_stands_in_the_place_of_the_one_asked_for(question: str, name: str, sentence: str) -> None:
    assert TiedName.of(question, name).is_replaced(sentence)


@pytest.mark.parametrize(
    ("question", "name", "sentence"),
    [
        ("Who leads the office in Tampere?", "Tampere", "The office is led by Anna Lind, once head in Oslo."),
        ("Who leads the office in Tampere?", "Tampere", "It opened in May and is led by Marta Sequeira."),
        ("Who did Oder Ropes acquire in 2022?", "Oder Ropes", "In 2022 we acquired Havel Nets."),
        ("Who leads the company?", "company", "Ines Aalto leads the company."),
        ("When was the bridge in Lyon built?", "Lyon", "Workers built it in 1930, as June ended."),
        ("Which firm did Oder belong to?", "Oder", "It belonged to the Havel Nets of Spree."),
    ],
)
def test_a_sentence_without_another_name_in_its_place_is_left_alone(question: str, name: str, sentence: str) -> None:
    assert not TiedName.of(question, name).is_replaced(sentence)
