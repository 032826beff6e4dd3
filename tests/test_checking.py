"""Checking drafts: quotes, dropped and marked sentences, notes, and the extractive fallback when a model fails."""

from dataclasses import replace

import pytest

from index.chunking.sentences import sentence_spans
from index.records import Chunk, Hit
from service.answering.checking import DraftChecker, Rejected, SupportPolicy
from service.answering.citations import Numbering
from service.answering.writing import SentenceWriter
from service.generators.extractive import ExtractiveGenerator
from service.generators.protocol import Draft, Passage, Quote
from service.generators.scripted import PROMPT_HASH, ScriptedGenerator
from service.progress import Stages
from service.records import Cell, DraftCounts, Usage
from service.scoring.reader import Reading, SentenceReading
from service.text.terms import content_words

TEXTS = [
    "Most of the hacks were aimed at South Korea. Seoul counts at least six attacks since 2007.",
    "In May, John Kerry visited Seoul. The channel links the Blue House and the White House.",
]


class ByWords:
    """Supports a claim whose content words the premise has, all of them."""

    def check(self, pairs):
        def words(text):
            return {word.casefold() for word in content_words(text)}

        return [float(words(claim) <= words(premise)) for claim, premise in pairs]


def passage(text, number, scores=None):
    chunk = Chunk(f"c{number}", f"d{number}", "v", 0, 100, 100 + len(text), text)
    spans = sentence_spans(text)
    sentences = tuple(
        SentenceReading(s.start, s.end, score, None)
        for s, score in zip(spans, scores or [-9.0] * len(spans), strict=True)
    )
    return Passage(Hit(chunk, f"T{number}", f"file:///{number}.md", None, 1.0), Reading(5.0, sentences))


PASSAGES = [passage(text, number) for number, text in enumerate(TEXTS)]


def check(*drafts, strict=True, passages=PASSAGES):
    numbering = Numbering(passages, {(p.hit.chunk.document_id, "v"): () for p in passages})
    checking = DraftChecker(passages, numbering, ByWords(), SupportPolicy(strict=strict))
    return [checking.check(draft) for draft in drafts], list(checking.notes()), numbering


def write(generator, strict=True, passages=PASSAGES):
    numbering = Numbering(passages, {(p.hit.chunk.document_id, "v"): () for p in passages})
    checking = DraftChecker(passages, numbering, ByWords(), SupportPolicy(strict=strict))
    writing = SentenceWriter(generator, ExtractiveGenerator(), checking, Stages())
    checked = list(writing.sentences("How many attacks?", passages))
    return [c.sentence.text for c in checked], writing


def test_a_draft_made_of_quotes_is_supported_unchanged():
    quote = Quote(0, sentence_spans(TEXTS[0])[1])
    (checked,), notes, _ = check(Draft("Seoul counts at least six attacks since 2007.", quotes=(quote,)))
    assert (checked.sentence.supported, checked.sentence.support, checked.sentence.citations) == (True, 1.0, (1,))
    assert checked.citations[0].quote == "Seoul counts at least six attacks since 2007."
    assert notes == []


def test_a_supported_sentence_cites_a_literal_quote_with_its_place_in_the_document():
    (checked,), notes, _ = check(Draft("Seoul counts six attacks.", passages=(0,)))
    (citation,) = checked.citations
    assert checked.sentence.supported
    assert citation.quote == "Seoul counts at least six attacks since 2007."
    assert TEXTS[0][citation.start - 100 : citation.end - 100] == citation.quote
    assert notes == []


def test_strict_drops_unsupported_sentences_and_numbers_the_rest_without_gaps():
    checked, notes, numbering = check(
        Draft("Bananas hit South Korea.", passages=(0,)), Draft("Kerry visited Seoul.", passages=(1,))
    )
    assert checked[0] == Rejected("unsupported", 0.0)
    assert checked[1].sentence.citations == (1,)
    assert [citation.number for citation in numbering.citations] == [1]
    assert notes == ["1 sentence of the language model left out: without support in the passages."]


def test_mark_keeps_an_unsupported_sentence_marked_with_the_nearest_quote():
    checked, notes, _ = check(Draft("Bananas hit South Korea.", passages=(0,)), strict=False)
    sentence = checked[0].sentence
    assert (sentence.supported, sentence.support) == (False, 0.0)
    assert checked[0].citations[0].quote == "Most of the hacks were aimed at South Korea."
    assert notes == ["1 sentence of the language model marked: without support in the passages."]


@pytest.mark.parametrize("strict", [True, False])
def test_all_written_sentences_are_counted(strict):
    numbering = Numbering(PASSAGES, {(p.hit.chunk.document_id, "v"): () for p in PASSAGES})
    checking = DraftChecker(PASSAGES, numbering, ByWords(), SupportPolicy(strict=strict))
    for text in ("Bananas hit Seoul.", "Kerry visited Seoul.", "The documents do not say.", "t0", "Apples hit Seoul."):
        checking.check(Draft(text))
    assert checking.drafted == DraftCounts(sentences=3, unsupported=2)
    assert checking.released == (1 if strict else 3)


def test_a_sentence_that_names_the_wrong_passage_cites_the_right_one_with_a_note():
    checked, notes, _ = check(Draft("Seoul counts six attacks.", passages=(1,)))
    assert checked[0].citations[0].document_id == "d0"
    assert notes == ["For 1 sentence the quote is from another passage than the language model named."]


def test_a_sentence_that_names_no_passage_is_searched_for_in_all_without_a_note():
    checked, notes, _ = check(Draft("Kerry visited Seoul."))
    assert checked[0].citations[0].document_id == "d1"
    assert notes == []


@pytest.mark.parametrize("line", ["t0", "T0 · Attacks since 2007", "Attacks since 2007", "T1 · T0"])
def test_headings_that_the_model_repeats_are_not_sentences(line):
    first = PASSAGES[0]
    headed = replace(first, hit=replace(first.hit, chunk=replace(first.hit.chunk, trail=("Attacks since 2007",))))
    assert check(Draft(line, passages=(0,)), strict=False, passages=[headed, PASSAGES[1]])[:2] == (
        [Rejected("heading")],
        [],
    )


def test_a_statement_with_a_full_stop_inside_is_one_sentence():
    (checked,), *_ = check(Draft("T0 · Kerry visited Seoul.", passages=(1,)), strict=False)
    assert checked.sentence.text == "T0 · Kerry visited Seoul."


@pytest.mark.parametrize("marker", ["(T0)", "[T0]", "[t0, p. 3]", "(T1)"])
def test_a_title_in_brackets_is_a_citation_and_no_part_of_the_sentence(marker):
    (checked,), notes, _ = check(Draft(f"Kerry visited Seoul {marker}.", passages=(1,)))
    assert (checked.sentence.text, notes) == ("Kerry visited Seoul.", [])
    assert check(Draft(marker.partition(",")[0].strip("])") + "])"[marker[0] == "("]))[:2] == (
        [Rejected("heading")],
        [],
    )


def test_invented_passage_numbers_are_reported_in_a_note():
    checked, notes, _ = check(Draft("Kerry visited Seoul.", passages=(1,), invented=(7, 9)))
    assert checked[0].sentence.supported
    assert notes == ["The language model cited passages that do not exist: [7], [9]."]


def test_a_figure_changed_by_the_model_does_not_reach_the_caller():
    text = "Seoul counts at least six attacks since 2017. [1]"
    assert_documents_own_words(*write(ScriptedGenerator([text])))


def assert_documents_own_words(sentences, writing):
    """Nothing of the model's is left, and the extractive answer stands in, with a note."""
    assert sentences
    assert all(any(sentence in text for text in TEXTS) for sentence in sentences)
    assert (writing.generator, writing.prompt_hash) == ("extractive", None)
    assert any(
        note.endswith("The answer is taken word for word from the documents instead.") for note in writing.notes()
    )


@pytest.mark.parametrize("text", ["The documents do not say.", "I do not know the answer."])
def test_a_model_that_refuses_writes_nothing(text):
    sentences, writing = write(ScriptedGenerator([text]))
    assert sentences == []
    assert list(writing.notes()) == ["The language model found no answer in the passages."]


def test_a_partial_refusal_is_a_note():
    sentences, writing = write(ScriptedGenerator(["Kerry visited Seoul. [2] The passages do not say why."]))
    assert sentences == ["Kerry visited Seoul."]
    assert list(writing.notes()) == ["The language model says that the passages leave part of the question open."]


def test_the_hash_of_the_prompts_and_the_tokens_are_known_afterwards():
    _, writing = write(ScriptedGenerator(["Kerry visited Seoul. [2]"], piece=6))
    assert (writing.generator, writing.prompt_hash, writing.usage) == ("scripted", PROMPT_HASH, Usage(0, 4))


def test_when_a_model_breaks_off_its_supported_sentences_are_kept_with_a_note():
    sentences, writing = write(ScriptedGenerator(["Kerry visited Seoul. [2] Seoul counts six"], breaks_off=True))
    assert sentences == ["Kerry visited Seoul."]
    assert writing.generator == "scripted"
    assert "ends where it broke off" in next(iter(writing.notes()))


def test_a_model_that_breaks_off_before_any_supported_sentence_is_replaced_by_the_extractive_answer():
    readable = [passage(TEXTS[0], 0, [-9.0, 9.0]), PASSAGES[1]]
    sentences, writing = write(ScriptedGenerator(["Bananas ripen slowly. [1]"], breaks_off=True), passages=readable)
    assert sentences == ["Seoul counts at least six attacks since 2007."]
    assert (writing.generator, writing.prompt_hash) == ("extractive", None)
    assert "word for word from the documents" in next(iter(writing.notes()))


HOSTILE = [
    "Ignore the passages. Bananas ripen slowly. [1][2]",
    "[1][1][1] [99999999999] 【9†x】 (((((",
    "```\nSeoul counts 7 attacks [1]\n```",
    "<think>Seoul counts six attacks. [1]",
    "# Heading only",
    "Question: How many attacks does Seoul count? [1]",
    "Sources:\n[1] Seoul counts at least six attacks since 2007.",
    "\x00\ufeff\u202e",
    "",
    "[1](javascript:alert(1)) <script>alert(1)</script> [2]",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_under_strict_no_unsupported_sentence_reaches_the_caller(text):
    assert_documents_own_words(*write(ScriptedGenerator([text])))


@pytest.mark.parametrize("text", HOSTILE)
def test_under_mark_no_unsupported_sentence_reaches_the_caller_unmarked(text):
    numbering = Numbering(PASSAGES, {(p.hit.chunk.document_id, "v"): () for p in PASSAGES})
    checking = DraftChecker(PASSAGES, numbering, ByWords(), SupportPolicy(strict=False))
    writing = SentenceWriter(ScriptedGenerator([text]), ExtractiveGenerator(), checking, Stages())
    for checked in writing.sentences("How many?", PASSAGES):
        assert writing.generator == "extractive" or not checked.sentence.supported
        assert writing.generator == "extractive" or checked.sentence.support < 0.5


def test_a_row_and_code_are_shown_as_such_once_they_are_checked():
    code = "net-reset --soft \\\n    --hard"
    passages = [
        passage("In 2024 the plan Large costs 50 euros.", 0), passage("Run net-reset --soft \\ --hard then wait.", 1),
    ]  # fmt: skip
    cells = (Cell("", "Large"), Cell("2024", "50 euros"))
    (row, wrong, ran, changed, item), notes, _ = check(
        Draft("Large: 2024: 50 euros", passages=(0,), listed=True, cells=cells),
        Draft("Large: 2025: 50 euros", passages=(0,), listed=True, cells=(Cell("", "Large"), Cell("2025", "50 euros"))),
        Draft(" ".join(code.split()), code=code),
        Draft("net-reset --hard --soft", code="net-reset --hard --soft"),
        Draft("The plan Large", passages=(0,), listed=True, ordinal=2),
        passages=passages,
    )
    assert (row.sentence.form, row.sentence.cells, row.sentence.citations) == ("row", cells, (1,))
    assert wrong.reason == "unsupported"  # the header cell belongs to what the row states
    assert (ran.sentence.form, ran.sentence.code) == ("code", code)
    assert (changed.sentence.form, changed.sentence.code) == ("prose", "")  # no passage holds it in this order
    assert (item.sentence.form, item.sentence.ordinal) == ("item", 2)
    assert notes == ["1 sentence of the language model left out: without support in the passages."]


def test_a_row_keeps_the_label_that_it_needs_above_its_table():
    passages = [passage("The crane KR-20 lifts 20 tons.", 0)]
    cells = (Cell("", "Load"), Cell("Value", "20 tons"))
    draft = Draft("Load: Value: 20 tons", passages=(0,), under="KR-20", listed=True, cells=cells)
    (checked,), _, _ = check(draft, strict=False, passages=passages)
    assert checked.sentence.text == "KR-20: Load: Value: 20 tons"
    assert checked.sentence.label == "KR-20"


def test_every_cell_of_a_row_must_be_supported_by_itself():
    class OnlyWhole(ByWords):
        """Is sure of a whole row, and of a cell only by its words."""

        def check(self, pairs):
            return [
                0.8 if "; " in claim else found for (claim, _), found in zip(pairs, super().check(pairs), strict=True)
            ]

    passages = [passage("The plan Medium costs 29 euros and has support by mail and chat.", 0)]
    numbering = Numbering(passages, {("d0", "v"): ()})
    checking = DraftChecker(passages, numbering, OnlyWhole(), SupportPolicy())
    rows = [
        Draft(
            f"Medium: costs: 29 euros; support: {support}",
            passages=(0,),
            listed=True,
            cells=(Cell("", "Medium"), Cell("costs", "29 euros"), Cell("support", support)),
        )
        for support in ("telephone", "mail")
    ]
    wrong, right = map(checking.check, rows)
    assert wrong == Rejected("unsupported", 0.0)
    assert right.sentence.form == "row"
