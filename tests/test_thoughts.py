"""A model's reasoning is left out in every form that models give it, and text about such tags stays."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.generators.protocol import Draft
from service.generators.stream_parser import parse_drafts
from service.text.thoughts import without_thoughts
from tests.growth import assert_linear

ANSWER = "The ferry takes nine cars [1]."
THOUGHT = "The tram takes forty people"


def read(text, **how):
    return "".join(without_thoughts([text], **how)).strip()


NAMES = ["think", "thinking", "thought", "thoughts", "reasoning", "reflection", "analysis", "scratchpad", "THINK"]
FORMS = [
    *(f"<{name}>{THOUGHT}.</{name}>{ANSWER}" for name in NAMES),
    *(f"<{name}>\n{THOUGHT}\n</{name}>\n\n{ANSWER}" for name in NAMES),
    f'<think duration="3" lang="en">{THOUGHT}</think >{ANSWER}',
    f"<think></think>\n<Think>{THOUGHT}.</THINK>{ANSWER}",
    f"<think>a</think><think>{THOUGHT}.</think>{ANSWER}",
    f"<think><think>{THOUGHT}.</think> {THOUGHT} [2].</think>{ANSWER}",
    f"<think>{THOUGHT}; I close with `</think>` later: {THOUGHT}.</think>{ANSWER}",
    f"Okay, the user asks about the ferry. {THOUGHT}.\n</think>\n\n{ANSWER}",
    f"Okay, passage [2] is about the tram. {THOUGHT} [2].\n</think>\n\n{ANSWER}",
    f"{THOUGHT}.</think>{ANSWER}",
    f"{THOUGHT}\n</thinking>\n{ANSWER}",
    f"{THOUGHT}.\n[/THINK]{ANSWER}",
    f"[THINK]{THOUGHT}.[/THINK]{ANSWER}",
    f"◁think▷{THOUGHT}.◁/think▷{ANSWER}",
    f"<seed:think>{THOUGHT}.</seed:think>{ANSWER}",
    f"<reasoning>{THOUGHT}.</reasoning>\n<answer>{ANSWER}</answer>",
    f"{THOUGHT}.\n<answer>\n{ANSWER}\n</answer>",
    f"<think>{THOUGHT}. Never closed.\n<final_answer>{ANSWER}</final_answer>",
    f"<|channel|>analysis<|message|>{THOUGHT}.<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}<|return|>",
    f"<|start|>assistant<|channel|>analysis<|message|>{THOUGHT}.<|end|>"
    f"<|start|>assistant<|channel|>commentary to=functions.x <|constrain|>json<|message|>{THOUGHT}<|call|>"
    f"<|start|>assistant<|channel|>final<|message|>{ANSWER}",
    f"analysis{THOUGHT}.assistantfinal{ANSWER}",
    f"<|START_THINKING|>{THOUGHT}.<|END_THINKING|><|START_RESPONSE|>{ANSWER}<|END_RESPONSE|>",
    f"<|begin_of_thought|>{THOUGHT}<|end_of_thought|><|begin_of_solution|>{ANSWER}<|end_of_solution|>",
    f"<|channel>thought\n{THOUGHT}.<channel|>{ANSWER}",
    f"{ANSWER}<|im_end|>",
]


@pytest.mark.parametrize("text", FORMS)
@pytest.mark.parametrize("how", [{}, {"whole": True}])
def test_reasoning_in_every_form_is_left_out(text, how):
    assert read(text, **how) == ANSWER


@pytest.mark.parametrize("text", FORMS)
def test_a_stream_gives_no_word_of_the_reasoning_however_it_is_cut(text):
    for size in (1, 2, 3, 5, 11):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        assert list(parse_drafts(pieces, 2, lambda: False)) == [Draft(ANSWER.replace(" [1]", ""), passages=(0,))]


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        (f"{ANSWER} <think>{THOUGHT}.</think> It sails at six [2].", f"{ANSWER}  It sails at six [2]."),
        (f"{ANSWER}\n<think>{THOUGHT}.</think>", ANSWER),
        ("The ferry <think>hm, forty</think>takes nine cars [1].", "The ferry takes nine cars [1]."),
        (f"{ANSWER}\n<reflection>{THOUGHT}", ANSWER),
        (f"<think>{THOUGHT}, and so on", ""),
        (f"<|channel|>analysis<|message|>{THOUGHT}", ""),
        ("<think/>" + ANSWER, ANSWER),
    ],
)
def test_blocks_in_the_middle_and_blocks_without_an_end_are_left_out(text, rest):
    assert read(text) == rest


@pytest.mark.parametrize(
    "text",
    [
        "The tag <think> opens the reasoning, and </think> closes it [1].",
        "The model writes `<think>` first and `</think>` last [1].",
        "Look:\n```xml\n<think>\nhm\n</think>\n```\nThat is a block [1].",
        "The tags are <thinking>, <reasoning> and </answer>, each in lower case [1].",
        "If a < b and c > d, take [THIS] one [1].",
        "Write `[THINK]` in capitals [2].",
        "An analysis [1] takes a week.",
        "analysis of the water takes a week [1].",
    ],
)
def test_a_sentence_about_tags_stays(text):
    assert read(text) == read(text, whole=True) == text


def test_a_reply_that_was_cut_in_reasoning_without_an_opening_tag_says_nothing():
    text = f"Okay, the user asks about the ferry. {THOUGHT}."
    assert read(text, was_cut=lambda: True) == ""
    assert read(f"{THOUGHT}.", was_cut=lambda: True) == f"{THOUGHT}."


def test_a_sentence_that_cites_is_given_at_once_and_one_that_may_be_reasoning_is_held():
    first = without_thoughts(iter([f"{ANSWER} ", "It sails", pytest.fail]))
    assert next(first) == ANSWER + " "
    held = without_thoughts(iter([f"We need the ferry. {ANSWER} ", f"{THOUGHT}.", "</think>", "It sails at six [2]."]))
    assert "".join(held) == "It sails at six [2]."


PARTS = st.lists(
    st.one_of(
        st.sampled_from(
            "<think> </think> <thinking> </reasoning> [THINK] [/THINK] ` ``` ```py\n \n < > [1]. [ <answer> </answer> a. The "
            "<|channel|> <|message|> final analysis <|end|> <|start|>assistant assistantfinal Okay, `<think>` ◁think▷ "
            "</ <| <think/> <|im_end|> é".split(" ")
        ),
        st.text(max_size=4),
    ),
    max_size=25,
).map("".join)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(PARTS, st.lists(st.integers(1, 9), min_size=1, max_size=5), st.booleans())
@example("<think>a", [1], False)
def test_the_cut_into_pieces_changes_nothing(text, sizes, whole):
    pieces, at = [], 0
    while at < len(text):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(text[at : at + size])
        at += size
    assert "".join(without_thoughts(pieces, whole=whole)) == "".join(without_thoughts([text], whole=whole))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.sampled_from(FORMS), st.integers(1, 30))
def test_a_reply_that_ends_anywhere_gives_no_word_of_closed_reasoning(text, size):
    seen = read(text[:-size], was_cut=lambda: False)
    if ANSWER[: max(len(ANSWER) - size, 0)] and THOUGHT in text and size < len(ANSWER):
        assert THOUGHT not in seen


@pytest.mark.parametrize(
    "unit", ["<", "<think", "<think>", "</think>", "`", "` ", "[T", "<|", "◁", "[1", "assistant", "a"]
)
def test_hostile_text_is_read_in_linear_time(unit):
    def work(text):
        for _ in without_thoughts([text]):
            pass
        for _ in without_thoughts(text):
            pass

    assert_linear(work, lambda size: unit * (size // len(unit)), 2_000)
