"""A claim that is nearly a copy of a sentence and differs in a word that decides is denied; a fair paraphrase is not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.text.contradictions import Evidence, copies, denies, is_in_other_units

TURNED = {
    "a negation left out": ("Tickets are not refunded.", "Yes, tickets are refunded."),
    "a negation put in": ("The ferry runs on holidays.", "The ferry does not run on holidays."),
    "a contracted negation": ("The ferry runs on holidays.", "The ferry doesn't run on holidays."),
    "may for must not": ("Ladders must not be left on the deck.", "Ladders may be left on the deck."),
    "never left out": ("The gate is never locked at night.", "The gate is locked at night."),
    "no guests": ("Guests use the sauna.", "No guests use the sauna."),
    "neither nor": ("Neither the cook nor the porter has a key.", "The cook has a key."),
    "without": ("Helmets may be cleaned without soap.", "Helmets may be cleaned with soap."),
    "German": ("Das Baden ist hier nicht erlaubt.", "Das Baden ist hier erlaubt."),
    "German forbids": ("Das Baden ist hier verboten.", "Das Baden ist hier erlaubt."),
    "French": ("Les billets ne sont pas remboursés.", "Les billets sont remboursés."),
    "an opposite": ("Dogs are allowed in the hall.", "Dogs are forbidden in the hall."),
    "a synonym of an opposite": ("Dogs are permitted in the hall.", "Dogs are prohibited in the hall."),
    "a prefix": ("The invoice was paid in spring.", "The invoice was unpaid in spring."),
    "after for before": ("Forms are sent before the visit.", "Forms are sent after the visit."),
    "at most for at least": ("A password has at least ten signs.", "A password has at most ten signs."),
    "less than for more than": ("The crane lifts more than 40 tonnes.", "The crane lifts less than 40 tonnes."),
    "increased for decreased": ("Rents decreased in Oslo.", "Rents increased in Oslo."),
}
EXCHANGED = {
    "a name": ("The harbour of Brest is run by Nadia Petit.", "Oscar Lund runs the harbour of Brest."),
    "a name of two words in a short sentence": ("Lena Moe commands the ferry.", "Olav Dahl commands the ferry."),
    "an identifier": ("Code H4 means that the filter is full.", "Code H7 means that the filter is full."),
    "an ordinal": ("A note is needed from the fourth day.", "A note is needed from the third day."),
    "an ordinal in figures": ("A note is needed from the fourth day.", "A note is needed from the 3rd day."),
    "a unit": ("The lamp may burn for 20 minutes.", "The lamp may burn for 20 hours."),
    "a short unit": ("The bag weighs 3 kg.", "The bag weighs 3 g."),
    "a currency": ("The fee is 45 euros.", "The fee is 45 francs."),
    "a month": ("The museum opens on 3 May.", "The museum opens on 3 June."),
    "a weekday": ("The market is held on Fridays.", "The market is held on Mondays."),
    "how often": ("The bins are emptied weekly.", "The bins are emptied monthly."),
    "a German weekday": ("Der Hof ist nur freitags geöffnet.", "Der Hof ist nur montags geöffnet."),
    "a quantifier": ("Some rooms on the first floor are heated.", "All rooms on the first floor are heated."),
    "a grade": ("Staff travel in economy class.", "Staff travel in business class."),
    "a colour": ("Visitors wear a green badge.", "Visitors wear a red badge."),
    "an adjective": ("Gloves of wool are kept in the cabin.", "Gloves of leather are kept in the cabin."),
}
TIED_OTHERWISE = {
    "a value of the other name": (
        "Meals cost 45 euros in Norway and 60 euros in Iceland.",
        "Meals in Iceland cost 45 euros.",
    ),
    "a value of the other noun": ("Members pay 20 euros and guests pay 30 euros.", "Guests pay 20 euros."),
    "a value of the opposite": ("The lock opens at 8 and closes at 18.", "The lock opens at 18."),
    "swapped roles": ("The tenant pays the landlord for water.", "The landlord pays the tenant for water."),
    "swapped roles of names": ("The Harbour Trust sued the Mill Company.", "The Mill Company sued the Harbour Trust."),
    "passive with the same order": ("Rule 2019 is replaced by rule 2021.", "Rule 2019 replaces rule 2021."),
    "a pronoun for one side": ("It replaces the rule of 2019.", "The rule of 2019 replaces the rule of 2021."),
    "a pronoun for several": ("They replace the rules of 2019.", "The rules of 2019 replace the rules of 2021."),
    "swapped ends": ("Trains run from Oslo to Bergen.", "Trains run from Bergen to Oslo."),
    "roles of a comparison": ("Adults pay 20 percent more than pupils.", "Pupils pay 20 percent more than adults."),
    "a fragment in the passive": ("Replaced by the rules of 2021.", "The rules of 2019 replace the rules of 2021."),
    "the noun of the sentence beside it": (
        "Foals are weighed in the sixth week of life. Calves are weighed in the tenth week of life.",
        "Calves are weighed in the sixth week of life.",
    ),
    "the value of the sentence beside it": (
        "A single ride of 20 minutes costs 8 euros. A group ride of 50 minutes costs 5 euros.",
        "A single ride of 20 minutes costs 5 euros.",
    ),
    "the sentence beside it": (
        "Code H4 means that the filter is full. Code H7 means that the door is open.",
        "Code H7 means that the filter is full.",
    ),
}
FAIR = {
    "a negation in another place": ("Tickets are not refunded.", "No tickets are refunded."),
    "a leading no": ("Tickets are not refunded.", "No, tickets are not refunded."),
    "not allowed and forbidden": ("Dogs are not allowed in the hall.", "Dogs are forbidden in the hall."),
    "not more than and at most": (
        "The lamp must not burn for more than 20 minutes.",
        "The lamp may burn for at most 20 minutes.",
    ),
    "unless and if": (
        "Taxis are not paid for unless the journey takes longer than four hours.",
        "Taxis are paid for if the journey takes longer than four hours.",
    ),
    "a negation of something else": ("Keys are numbered and are not copied.", "Keys are numbered."),
    "passive and active": ("The harbour of Brest is run by Nadia Petit.", "Nadia Petit runs the harbour of Brest."),
    "a synonym and another order": (
        "The office in Brest is led by Nadia Petit.",
        "Nadia Petit heads the Brest office.",
    ),
    "active and passive": ("The tenant pays the landlord for water.", "The landlord is paid by the tenant for water."),
    "a number in words": ("Seven cranes stand in the port.", "7 cranes stand in the port."),
    "a currency sign": ("The fee is €45.", "The fee is 45 euros."),
    "an ordinal in figures": ("A note is needed from the third day.", "A note is needed from the 3rd day."),
    "its own value": ("Meals cost 45 euros in Norway and 60 euros in Iceland.", "Meals in Iceland cost 60 euros."),
    "its own sentence of two": (
        "Code H4 means that the filter is full. Code H7 means that the door is open.",
        "Code H7 means that the door is open.",
    ),
    "a name for a pronoun": ("She hosts a nightly show on Radio Nord.", "Rachel Berg hosts a nightly show."),
    "a line of a list": ("- Brest, opened in 2015, 60 employees", "The office in Brest has 60 employees."),
    "something else": ("The ferry runs on holidays.", "Tickets are sold on board."),
}


@pytest.mark.parametrize(("quote", "claim"), [*TURNED.values(), *EXCHANGED.values(), *TIED_OTHERWISE.values()],
                         ids=[*TURNED, *EXCHANGED, *TIED_OTHERWISE])  # fmt: skip
def test_a_claim_that_turns_a_word_that_decides_is_denied(quote, claim):
    assert denies([Evidence(quote)], claim)


@pytest.mark.parametrize(("quote", "claim"), FAIR.values(), ids=FAIR)
def test_a_fair_paraphrase_is_not_denied(quote, claim):
    assert not denies([Evidence(quote)], claim)


@pytest.mark.parametrize(("quote", "claim"), [*TURNED.values(), *EXCHANGED.values()], ids=[*TURNED, *EXCHANGED])
def test_neither_sentence_denies_itself(quote, claim):
    assert not denies([Evidence(quote)], quote)
    assert not denies([Evidence(claim)], claim)


def test_a_number_that_stands_there_with_another_unit_only():
    assert is_in_other_units("Store it for 36 months. Take three in 24 hours.", "It keeps for 24 weeks.")
    assert not is_in_other_units("Store it for 24 weeks.", "It keeps for 24 weeks.")
    assert not is_in_other_units("Price in euros: 24; weight in kg: 24 kg", "It costs 24 euros.")
    assert not is_in_other_units("It keeps long.", "It keeps for 24 weeks.")


def test_a_quote_about_another_version_denies_a_claim_that_names_its_own():
    rule = "A note is needed from the third day of illness."
    old, new = Evidence(rule, "Rules 2019 > Illness"), Evidence(rule, "Rules 2021 > Illness")
    claim = "Under the rules 2021 a note is needed from the third day of illness."
    assert denies([old], claim)
    assert not denies([new], claim)
    assert not denies([old], rule)


def test_a_further_quote_does_not_hide_that_the_closest_one_denies():
    denying, other = Evidence("Code H4 means that the filter is full."), Evidence("Code H7 is rare.")
    assert denies([denying, other], "Code H7 means that the filter is full.")


def test_a_quote_that_states_the_claim_outweighs_one_that_differs():
    states, differs = Evidence("The museum opens on 3 June."), Evidence("The museum opens on 3 May.")
    assert not denies([states, differs], "The museum opens on 3 June.")


def test_a_copy_is_one_or_more_whole_sentences_of_a_quote():
    quote = [Evidence("Tickets are not refunded.\n\n- They may be **exchanged** once. Ask on board.")]
    assert copies(quote, "Tickets are not refunded")
    assert copies(quote, "They may be exchanged once. Ask on board.")
    assert not copies(quote, "Tickets are refunded.")
    assert not copies(quote, "Tickets are")
    assert not copies(quote, "")


WORDS = (
    "the a gate ferry is not never paid unpaid by Oslo H4 third 3 kg May from to before all and , unless no who".split()
)
TEXT = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_no_text_denies_itself(text):
    assert not denies([Evidence(text)], text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=20))
def test_any_text_can_be_compared(quote, claim, context):
    assert isinstance(denies([Evidence(quote, context)], claim), bool)
    assert isinstance(copies([Evidence(quote, context)], claim), bool)
