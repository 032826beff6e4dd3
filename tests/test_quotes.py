"""Quotes for a model's sentences: whole sentences, the shortest that support the claim, with every figure of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.chunking.sentences import sentence_spans
from index.records import Chunk, Hit
from service.answering.quotes import SupportingQuotes, best_quotes
from service.generators.protocol import Passage
from service.scoring.reader import Reading, SentenceReading
from service.text.terms import content_words

BRIEFING = (
    "## Visits\n\nIn May, Secretary of State John Kerry visited Seoul. He promised to work together on space exploration.\n\n"
    "## Attacks\n\nMost of the hacks were aimed at South Korea. Seoul counts at least six attacks since 2007."
)
MINUTES = "The channel links the Blue House and the White House. Obama wants both sides in sync."


class WordOverlapChecker:
    """Supports a claim by the share of its content words that are in the premise. Records the pairs."""

    def __init__(self):
        self.asked = []

    def check(self, pairs):
        self.asked += pairs
        return [self._share(claim, premise) for claim, premise in pairs]

    def _share(self, claim, premise):
        words = {word.casefold() for word in content_words(claim)}
        return len(words & {word.casefold() for word in content_words(premise)}) / max(len(words), 1)


def passage(text, number=0):
    chunk = Chunk(f"c{number}", "d", "v", number, 0, len(text), text)
    sentences = tuple(SentenceReading(start, end, 0.0, None) for start, end in sentence_spans(text))
    return Passage(Hit(chunk, "T", "file:///t.md", None, 1.0), Reading(1.0, sentences))


PASSAGES = [passage(BRIEFING), passage(MINUTES, 1)]


def quotes_of(claim, among=(0, 1), enough=0.9, passages=PASSAGES):
    evidence = best_quotes(claim, passages, among, WordOverlapChecker(), enough)
    return [passages[q.passage].hit.chunk.text[q.span.start : q.span.end] for q in evidence.quotes], evidence.support


def test_one_sentence_that_supports_is_quoted_alone():
    assert quotes_of("Seoul counts six attacks.") == (["Seoul counts at least six attacks since 2007."], 1.0)


def test_a_sentence_that_depends_on_the_previous_one_is_quoted_with_it():
    quotes, support = quotes_of("Kerry promised space exploration.")
    assert quotes == [
        "In May, Secretary of State John Kerry visited Seoul. He promised to work together on space exploration."
    ]
    assert support == 1.0


def test_a_claim_from_two_places_is_quoted_from_both():
    quotes, support = quotes_of(
        "Kerry visited Seoul and the channel links both houses, the Blue House and the White House.", enough=0.85
    )
    assert sorted(quotes) == [
        "In May, Secretary of State John Kerry visited Seoul.",
        "The channel links the Blue House and the White House.",
    ]
    assert support >= 0.85


def test_only_the_named_passages_are_searched():
    quotes, support = quotes_of("Seoul counts six attacks.", among=(1,))
    assert quotes == []
    assert support == 0.0


def test_a_figure_that_the_quote_lacks_is_never_supported():
    assert quotes_of("Seoul counts at least 6 attacks since 2007.", enough=0.8)[1] >= 0.8
    quotes, support = quotes_of("Seoul counts at least six attacks since 2009.")
    assert support == 0.0
    assert quotes  # the nearest quote is still returned, for the policy that marks


def test_headings_are_not_quoted():
    quotes, _ = quotes_of("Visits and attacks.", enough=2.0)
    assert not any("##" in quote for quote in quotes)


def test_without_a_shared_word_nothing_is_checked():
    checker = WordOverlapChecker()
    assert best_quotes("Bananas ripen slowly.", PASSAGES, (0, 1), checker, 0.5) == SupportingQuotes()
    assert checker.asked == []


def test_long_passages_need_a_bounded_number_of_checks():
    checker = WordOverlapChecker()
    long = passage(" ".join(f"Seoul counts attacks of kind number {n} here." for n in range(200)))
    best_quotes("Seoul counts attacks.", [long], (0,), checker, 2.0)
    assert 0 < len(checker.asked) <= 15


WORDS = st.sampled_from("Seoul Kerry counts visited attacks six 2007 House channel in the and May bananas".split())
SENTENCE = st.lists(WORDS, min_size=1, max_size=8).map(lambda words: " ".join(words) + ".")


@settings(max_examples=60, deadline=None)
@given(SENTENCE, st.lists(st.lists(SENTENCE, min_size=1, max_size=5).map(" ".join), min_size=1, max_size=3))
def test_every_quote_is_a_run_of_whole_sentences_of_its_passage(claim, texts):
    passages = [passage(text, number) for number, text in enumerate(texts)]
    evidence = best_quotes(claim, passages, range(len(passages)), WordOverlapChecker(), 0.7)
    for quote in evidence.quotes:
        sentences = passages[quote.passage].reading.sentences
        assert quote.span.start in {sentence.start for sentence in sentences}
        assert quote.span.end in {sentence.end for sentence in sentences}
    assert 0.0 <= evidence.support <= 1.0
    assert len(evidence.quotes) <= 2


@pytest.mark.parametrize("enough", [0.0, 0.5, 1.0])
def test_the_shortest_supporting_quote_is_taken(enough):
    quotes, support = quotes_of("Seoul counts six attacks.", enough=enough)
    assert len(quotes) == 1
    assert support >= enough


class CertainChecker:
    """Calls every claim supported, or none."""

    def __init__(self, probability):
        self.probability = probability

    def check(self, pairs):
        return [self.probability] * len(pairs)


def test_a_literal_copy_is_supported_whatever_the_checker_says():
    denied = passage("Tickets are not refunded. They may be exchanged once.")
    evidence = best_quotes("Tickets are not refunded.", [denied], (0,), CertainChecker(0.1), 0.7)
    assert evidence.support == 1.0
    assert [denied.hit.chunk.text[q.span.start : q.span.end] for q in evidence.quotes] == ["Tickets are not refunded."]
    assert best_quotes("They are exchanged for free.", [denied], (0,), CertainChecker(0.1), 0.7).support == 0.1


def test_a_claim_that_its_quote_denies_is_not_supported_whatever_the_checker_says():
    rules = passage("Tickets are not refunded. The crossing takes 40 minutes. Lena Moe commands the ferry.")
    for claim in ("Tickets are refunded.", "The crossing takes 40 hours.", "Olav Dahl commands the ferry."):
        assert best_quotes(claim, [rules], (0,), CertainChecker(0.99), 0.7).support == 0.0, claim
    assert best_quotes("The ferry is commanded by Lena Moe.", [rules], (0,), CertainChecker(0.99), 0.7).support == 0.99


def test_one_document_may_support_what_another_denies():
    old, new = passage("Dogs are allowed on deck."), passage("Dogs are not allowed on deck.", 1)
    for claim, number in (("Dogs are allowed on deck.", 0), ("No dogs are allowed on deck.", 1)):
        evidence = best_quotes(claim, [old, new], (0, 1), CertainChecker(0.9), 0.7)
        assert evidence.support >= 0.9
        assert {quote.passage for quote in evidence.quotes} == {number}
