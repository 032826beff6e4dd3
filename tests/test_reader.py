"""The reader with the shipped weights, and the windows that it reads."""

import math
import shutil

import numpy as np
import pytest

from index.blocks.block import Span
from index.chunking.sentences import sentence_spans
from index.errors import ModelDamaged, ModelMissing
from models import folder
from service.scoring.reader import Reader
from service.scoring.windows import CLS, CONTEXT_LIMIT, SEP, Tokens, windows

TOWER = (
    "The tower is 330 metres tall. Gustave Eiffel built it for the World's Fair in 1889. "
    "Tickets to the top cost 35 euros for adults."
)
OTHERS = [
    "Bananas grow in bunches. They turn yellow when they are ripe.",
    "The committee met in March. It approved the budget for the coming year.",
]


@pytest.fixture(scope="module")
def reader(compiled):
    return Reader.load(folder("reader"), cache=compiled)


def best(passage, reading):
    sentence = max(reading.sentences, key=lambda s: s.score)
    return passage[sentence.start : sentence.end], sentence


@pytest.mark.parametrize(
    ("question", "sentence", "answer"),
    [
        ("How tall is the tower?", "The tower is 330 metres tall.", "330"),
        ("who built the tower", "Gustave Eiffel built it for the World's Fair in 1889.", "Gustave Eiffel"),
        ("What does a ticket to the top cost?", "Tickets to the top cost 35 euros for adults.", "35 euros"),
    ],
)
def test_the_sentence_that_answers_is_ranked_first_and_the_answer_is_marked(reader, question, sentence, answer):
    (reading,) = reader.read(question, [TOWER])
    text, found = best(TOWER, reading)
    assert text == sentence
    assert answer in TOWER[found.answer.start : found.answer.end]


def test_sentences_are_literal_ranges_in_order_and_answers_lie_inside(reader):
    for passage, reading in zip([TOWER, *OTHERS], reader.read("When was it built?", [TOWER, *OTHERS]), strict=True):
        assert [(s.start, s.end) for s in reading.sentences] == sentence_spans(passage)
        for sentence in reading.sentences:
            assert sentence.start <= sentence.answer.start < sentence.answer.end <= sentence.end


def test_relevance_ranks_the_passage_that_answers_first_at_any_position(reader):
    for place in range(3):
        passages = list(OTHERS)
        passages.insert(place, TOWER)
        scores = reader.score("Who built the tower?", passages)
        assert int(np.argmax(scores)) == place


def test_the_answer_at_the_end_of_a_long_passage_is_found_and_every_sentence_has_a_score(reader):
    passage = " ".join([*OTHERS * 30, TOWER])
    (reading,) = reader.read("How tall is the tower?", [passage])
    assert len(reading.sentences) == len(sentence_spans(passage))
    assert all(math.isfinite(s.score) for s in reading.sentences)
    assert best(passage, reading)[0] == "The tower is 330 metres tall."


def test_a_reading_does_not_depend_on_the_other_passages(reader):
    (alone,) = reader.read("How tall is the tower?", [TOWER])
    together = reader.read("How tall is the tower?", [OTHERS[0] * 12, TOWER])[1]
    assert together.relevance == pytest.approx(alone.relevance, abs=0.1)  # bf16 rounds by shape


def test_a_passage_without_words_has_a_relevance_and_no_sentence(reader):
    empty, rule = reader.read("How tall is the tower?", ["", "-----"])
    assert empty.sentences == rule.sentences == ()
    assert math.isfinite(empty.relevance)
    assert empty.best == -math.inf


def test_no_passages_give_no_readings(reader):
    assert reader.read("How tall is the tower?", []) == []


def test_the_fast_path_agrees_with_fp32(reader):
    reference = Reader.load(folder("reader"), engine="torch")
    for question in ("How tall is the tower?", "Who likes bananas?"):
        fast, exact = (r.read(question, [TOWER, *OTHERS]) for r in (reader, reference))
        for one, other in zip(fast, exact, strict=True):
            assert one.relevance == pytest.approx(other.relevance, abs=0.15)
            assert [s.score for s in one.sentences] == pytest.approx([s.score for s in other.sentences], abs=0.15)


@pytest.fixture
def copy_model(tmp_path):
    return shutil.copytree(folder("reader"), tmp_path / "reader")


def test_damaged_weights_are_refused_by_name(copy_model):
    path = copy_model / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelDamaged, match=r"model\.safetensors"):
        Reader.load(copy_model)


def test_missing_weights_are_named(copy_model):
    (copy_model / "model.safetensors").unlink()
    with pytest.raises(ModelMissing, match=r"model\.safetensors"):
        Reader.load(copy_model)


@pytest.mark.parametrize("content", ["{", "{}", "[]"])
def test_an_unreadable_config_is_refused_by_name(copy_model, content):
    (copy_model / "config.json").write_text(content)
    with pytest.raises(ModelDamaged, match=r"config\.json"):
        Reader.load(copy_model)


def test_another_kind_of_model_is_refused(copy_model):
    path = copy_model / "config.json"
    path.write_text(path.read_text().replace('"reader"', '"support"'))
    with pytest.raises(ModelDamaged, match="'support'"):
        Reader.load(copy_model)


def tokens(count):
    """One token per three code points."""
    return Tokens(list(range(1000, 1000 + count)), [(3 * n, 3 * n + 2) for n in range(count)])


def test_a_passage_that_fits_is_one_window():
    (window,) = windows([7, 8], tokens(4), [Span(0, 5), Span(6, 11)], limit=20)
    assert window.input_ids.tolist() == [CLS, 7, 8, SEP, 1000, 1001, 1002, 1003, SEP]
    assert window.token_type_ids.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1]
    assert window.sentence_ids.tolist() == [0, 0, 0, 0, 1, 1, 2, 2, 0]
    assert window.offsets.tolist() == [[0, 0]] * 4 + [[0, 2], [3, 5], [6, 8], [9, 11]] + [[0, 0]]
    assert (window.sentences, window.firsts) == (range(2), (4, 6))


def test_a_context_is_read_in_every_window_and_belongs_to_no_sentence():
    found = windows([7], tokens(4), [Span(0, 5), Span(6, 11)], limit=9, context=[8, 9])
    assert [w.input_ids.tolist() for w in found] == [
        [CLS, 7, SEP, 8, 9, SEP, 1000, 1001, SEP],
        [CLS, 7, SEP, 8, 9, SEP, 1002, 1003, SEP],
    ]
    assert found[1].token_type_ids.tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 1]
    assert found[1].sentence_ids.tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 0]
    assert found[1].offsets.tolist() == [[0, 0]] * 6 + [[6, 8], [9, 11], [0, 0]]
    assert found[1].firsts == (6,)


def test_a_long_context_is_cut():
    (window,) = windows([7], tokens(4), [Span(0, 11)], limit=256, context=[8] * 100)
    assert window.input_ids.tolist().count(8) == CONTEXT_LIMIT


def test_windows_end_at_sentences_and_a_sentence_longer_than_a_window_is_cut():
    sentences = [Span(0, 8), Span(9, 17), Span(18, 59)]  # 3, 3 and 14 tokens
    found = windows([7], tokens(20), sentences, limit=10)  # room for 6 tokens of the passage
    assert [w.sentences for w in found] == [range(2), range(2, 3), range(2, 3), range(2, 3)]
    assert [len(w.input_ids) for w in found] == [10, 10, 10, 6]


def test_tokens_outside_sentences_are_read_but_belong_to_none():
    (window,) = windows([7], tokens(4), [Span(0, 2), Span(9, 11)], limit=20)
    assert window.sentence_ids.tolist() == [0, 0, 0, 1, 0, 0, 2, 0]


def test_a_long_question_is_cut_and_an_empty_passage_still_has_a_window():
    (window,) = windows(list(range(200, 400)), Tokens([], []), [], limit=256)
    assert len(window.input_ids) == 64 + 3
    assert (window.sentences, window.firsts) == (range(0), ())
