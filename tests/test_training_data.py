"""Training data: near misses by search and by rule, labels, batches and splits, with hand-worked cases."""

import gzip
import json
import random

import numpy as np
import pytest
import torch

from index.blocks.block import Span
from index.embedding.minilm import MiniLM
from index.embedding.weights import bundled_folder
from training.arrays import DeviceExamples, ExampleArrays
from training.augmentation import perturb_question
from training.batches import Labeller, gold_sentences
from training.claims import alter_sentence, copy_pairs, statement
from training.negatives import Substitutes, change_number, exchanged_question, impossible_question, names
from training.pretrained import base_encoder, base_tokenizer
from training.search import Bm25, HybridSearch, VectorCache
from training.sources import PassagePair, answering_passage, clapnq, first_sentences, split_of, text_windows

PASSAGE = "Ada Lovelace wrote the first program in 1843. Charles Babbage designed the engine."


@pytest.fixture(scope="module")
def labeller():
    return Labeller(base_tokenizer(), 64)


def test_bm25_ranks_by_shared_rare_words_and_leaves_out_what_shares_none():
    search = Bm25(["the red fox ran", "the blue sea", "the red red wine and the red house", "green grass"])
    assert search.best("red wine", 4) == [2, 0]
    assert search.scores("sky").tolist() == [0, 0, 0, 0]


def test_bm25_by_hand():
    search = Bm25(["a b", "a c"])
    idf = np.log(1 + (2 - 1 + 0.5) / 1.5)  # "b" is in one of two texts of average length
    assert search.scores("b")[0] == pytest.approx(idf * 2.2 * 1 / (1 + 1.2))


@pytest.fixture(scope="module")
def embedded(compiled):
    return VectorCache(MiniLM(bundled_folder(), compiled))


def test_vectors_are_of_unit_length_and_equal_texts_share_theirs(embedded):
    vectors = embedded.vectors(["a cat", "a dog", "a cat"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert (vectors[0] == vectors[2]).all()


def test_near_misses_are_found_by_words_and_by_meaning(embedded):
    texts = ["The physician examined her.", "The doctorate took years.", "Bridges need paint.", "See the doctor today."]
    found = HybridSearch(embedded, texts).best("doctor", 3)
    assert found[0] == 3  # shares the word
    assert 0 in found  # shares the meaning only


def test_a_changed_number_differs_in_one_digit_and_keeps_its_form():
    for number in ("7", "1843", "12,500", "3.5"):
        other = change_number(number, random.Random(0))
        assert len(other) == len(number)
        assert sum(a != b for a, b in zip(number, other, strict=True)) == 1


def test_names_are_capitalised_runs_that_do_not_open_the_text():
    assert names("When did Ada Lovelace meet Babbage?") == ["Ada Lovelace", "Babbage"]


def test_an_impossible_question_has_a_name_that_the_passage_lacks():
    made = {
        impossible_question(
            "When did Ada Lovelace write it?", PASSAGE, ["Grace Hopper", "Charles Babbage"], random.Random(n)
        )
        for n in range(20)
    }
    assert made == {"When did Grace Hopper write it?"}


def test_an_impossible_question_is_negated_where_no_other_rule_fits():
    assert impossible_question("what was designed", "x", [], random.Random(0)) == "what was not designed"
    assert impossible_question("tell me", "x", [], random.Random(0)) is None


def test_opposites_are_not_used_where_the_passage_has_both():
    question = "what is the largest one"
    assert impossible_question(question, "the largest", [], random.Random(0)) == "what is the smallest one"
    assert impossible_question(question, "largest and smallest", [], random.Random(0)) == "what is not the largest one"


@pytest.fixture(scope="module")
def substitutes():
    return Substitutes(base_encoder().words.weight, base_tokenizer())


def test_substitutes_are_of_the_same_kind_and_neither_the_same_word_nor_another_form_of_it(substitutes):
    assert set(substitutes.among("river", ["rivers", "creek", "lake", "river", "treaty", "Lake"])) == {"lake"}
    assert substitutes.among("river", []) == []
    assert substitutes.among("no-such-word", ["river"]) == []
    found = substitutes.nearest("monday", 5)
    assert len(found) == 5
    assert "monday" not in found
    assert not any(word.startswith("mond") for word in found)


def test_an_exchanged_question_asks_about_something_else_that_the_passage_names(substitutes):
    passage = "In 1822 the river was bridged at Kendal, and in 1843 the lake at Windermere, by Hartley Moss."
    asked = "In 1843, who bridged the lake at Windermere?"
    made = {exchanged_question(asked, passage, ["Hartley Moss"], random.Random(n), substitutes) for n in range(60)}
    assert {
        "In 1822, who bridged the lake at Windermere?",
        "In 1843, who bridged the river at Windermere?",
        "In 1843, who bridged the lake at Kendal?",
    } <= made
    assert asked not in made
    assert not any(question is None or "Hartley" in question or "Moss" in question for question in made)


def test_a_question_with_nothing_to_exchange_is_left_out(substitutes):
    assert exchanged_question("Who was it?", "It was Ada.", ["Ada"], random.Random(0), substitutes) is None


def test_an_altered_sentence_differs_in_one_fact():
    sentence = "The engine was built in London by Charles Babbage in 1843."
    made = {alter_sentence(sentence, ["Paris", "Grace Hopper"], random.Random(n)) for n in range(200)}
    assert ("polarity", "The engine was not built in London by Charles Babbage in 1843.") in made
    assert ("name", "The engine was built in Paris by Charles Babbage in 1843.") in made
    assert ("roles", "The engine was built in Charles Babbage by London in 1843.") in made
    assert all("1843" not in text for kind, text in made if kind == "number")
    assert {kind for kind, _ in made} == {"polarity", "name", "roles", "number"}
    assert sentence not in {text for _, text in made}


def test_an_ordinal_and_a_unit_are_exchanged_for_others_of_their_kind():
    made = {alter_sentence("the second prize is 40 francs", [], random.Random(n)) for n in range(300)}
    ordinals = {text for kind, text in made if kind == "ordinal"}
    units = {text for kind, text in made if kind == "unit"}
    assert "the first prize is 40 francs" in ordinals
    assert "the second prize is 40 euros" in units
    assert not any("kilometres" in text for text in units)


def test_a_negated_copy_supports_itself_and_not_the_sentence(tmp_path):
    folder = tmp_path / "mix" / "reader"
    folder.mkdir(parents=True)
    passages = [f"Room {n} is open in the morning." for n in range(40)]
    lines = [json.dumps({"q": "q", "passage": text, "answerable": True}) for text in passages]
    (folder / "squad1_dutest.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    made = list(copy_pairs(tmp_path, random.Random(1), 40))
    assert {pair.supported for pair in made if pair.claim == pair.premise} == {True}
    turned = [pair for pair in made if ("not" in pair.claim) != ("not" in pair.premise)]
    assert {pair.supported for pair in turned} == {False}
    assert {"not" in pair.claim for pair in turned} == {True, False}
    assert any("not" in pair.claim and pair.supported for pair in made)


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("Who built the tower?", "Eiffel", "Eiffel built the tower."),
        ("What was sold in 1990?", "the bank", "The bank was sold in 1990."),
        ("When did it close?", "1990", None),
        ("Who did they meet?", "Anna", None),
    ],
)
def test_questions_become_statements_where_the_answer_is_the_subject(question, answer, expected):
    assert statement(question, answer) == expected


def test_gold_is_the_sentence_that_holds_the_answer():
    sentences = [Span(0, 20), Span(21, 40), Span(41, 60)]
    assert gold_sentences([Span(25, 30)], sentences) == {1}
    assert gold_sentences([Span(2, 5), Span(50, 55)], sentences) == {0, 2}
    assert gold_sentences([Span(15, 40)], sentences) == {1}  # a quarter of the first, the whole second
    assert gold_sentences([Span(5, 38)], sentences) == {0, 1}  # at least half of both
    assert gold_sentences([], sentences) == set()


def test_a_span_becomes_a_sentence_label_and_token_places(labeller):
    reading = answering_passage("Who designed the engine?", PASSAGE, [(46, "Charles Babbage ")], "test")
    assert reading.answer == Span(46, 61)
    (example,) = labeller.all_windows(reading)
    assert example.gold.tolist() == [0.0, 1.0]
    sentence, start, end = example.span
    offsets = example.window.offsets
    assert sentence == 1
    assert (offsets[start][0], offsets[end][1]) == (46, 61)


def test_where_only_relevance_is_known_sentences_have_no_label(labeller):
    reading = PassagePair("Is it old?", PASSAGE, True, None, None, "test")
    (example,) = labeller.all_windows(reading)
    assert example.gold is None
    batch = DeviceExamples(ExampleArrays.of([[example]]), None, torch.device("cpu")).batch(np.array([0]))
    assert batch.gold.tolist() == [-1.0, -1.0]


def test_of_a_long_passage_training_sees_a_window_with_gold(labeller):
    text = "Nothing of note happened on that day. " * 20
    reading = answering_passage(
        "Who designed the engine?", text + PASSAGE, [(len(text) + 46, "Charles Babbage")], "test"
    )
    for seed in range(5):
        assert labeller.example(reading, random.Random(seed)).gold.sum() == 1


def test_batches_keep_groups_whole_within_the_budget(labeller):
    reading = answering_passage("Who designed the engine?", PASSAGE, [(46, "Charles Babbage")], "test")
    example = labeller.example(reading, random.Random(0))
    arrays = ExampleArrays.of([[example, example]] * 5)
    cut = arrays.batches(4 * len(example.window.input_ids), np.random.default_rng(0))
    assert sorted(len(rows) for rows in cut) == [2, 4, 4]
    assert sorted(np.concatenate(cut).tolist()) == list(range(10))
    two = next(rows for rows in cut if len(rows) == 4)
    assert DeviceExamples(arrays, None, torch.device("cpu")).batch(two).group.tolist() == [0, 0, 1, 1]


def test_perturbed_questions_keep_their_words_or_most_of_them():
    question = "What did the Normans build in England?"
    made = [perturb_question(question, random.Random(n)) for n in range(300)]
    assert question in made
    assert "what did the normans build in england" in made
    assert all(len(one) > 10 for one in made)


def test_splits_are_stable_disjoint_and_of_the_size_asked():
    parts = [split_of(str(n), 0.2, 0.3) for n in range(4000)]
    assert parts == [split_of(str(n), 0.2, 0.3) for n in range(4000)]
    assert parts.count("dev") / 4000 == pytest.approx(0.2, abs=0.03)
    assert parts.count("test") / 4000 == pytest.approx(0.3, abs=0.03)


def test_windows_of_a_long_text_are_whole_sentences_that_cover_it():
    text = " ".join(f"Sentence number {n} is here." for n in range(30))
    found = list(text_windows(text, 200))
    assert all(text[span.start : span.end].endswith(".") for span in found)
    assert " ".join(text[span.start : span.end] for span in found) == text
    assert first_sentences(text, 100) == text[:80]


def test_the_sentences_of_a_tokenised_set_are_found_in_its_passage(tmp_path):
    folder = tmp_path / "clapnq"
    folder.mkdir()
    sentences = ["It rained .", "The `` season '' ended .", "It rained ."]
    passage = {"title": "t", "text": " ".join(sentences), "sentences": sentences}
    record = {
        "id": "1",
        "input": "what ended",
        "passages": [passage],
        "output": [{"selected_sentences": sentences[1:2]}],
    }
    (folder / "answerable.jsonl").write_text(json.dumps(record) + "\n")
    (folder / "unanswerable.jsonl").write_text("")
    ((reading,),) = [group for split in ("train", "dev", "test") for group in clapnq(tmp_path, split)]
    assert [reading.passage[s.start : s.end] for s in reading.gold] == ["The `` season '' ended ."]
