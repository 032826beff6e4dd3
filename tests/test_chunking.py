"""Chunks are runs of whole sentences that keep sections, sizes and offsets."""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from index.blocks.block import Block, Kind
from index.chunking.chunker import LIMIT, TARGET, chunk_document, chunk_id
from index.chunking.sentences import sentence_spans
from index.records import Document


def words(text: str) -> NDArray[np.int64]:
    """One word piece for every word and every other visible character."""
    return np.array([match.span() for match in re.finditer(r"\w+|[^\w\s]", text)], dtype=np.int64).reshape(-1, 2)


def document(text: str, blocks: Sequence[Block] = ()) -> Document:
    return Document("d", "v", "file:///d.txt", "D", "text/plain", text, blocks=tuple(blocks))


def markdown(text: str) -> Document:
    return document(text, [heading(text, found) for found in re.finditer(r"(?m)^(#+) .*\w.*$", text)])


def heading(text: str, found: re.Match[str]) -> Block:
    return Block(Kind.HEADING, *found.span(), level=len(found[1]))


def prose(count: int, length: int = 12) -> str:
    """`count` sentences of `length` words and a full stop."""
    return " ".join(f"Sentence {number} " + "goes on " * ((length - 2) // 2) + "here." for number in range(count))


def test_a_short_document_is_one_chunk() -> None:
    [only] = chunk_document(document("  One. Two.\n"), words)
    assert (only.start, only.end, only.text, only.ordinal) == (2, 11, "One. Two.", 0)
    assert only.id == chunk_id("d", "v", 2, 11)


def test_an_empty_document_has_no_chunk() -> None:
    assert chunk_document(document(" \n-----\n"), words) == []


def test_chunks_are_even_and_near_the_target() -> None:
    text = prose(100)
    sizes = [len(words(part.text)) for part in chunk_document(document(text), words)]
    assert sum(sizes) == len(words(text))
    assert len(sizes) == sum(sizes) / TARGET == 7
    assert min(sizes) > TARGET / 2
    assert max(sizes) <= LIMIT


def test_a_chunk_prefers_to_end_where_a_paragraph_ends() -> None:
    text = "\n\n".join(prose(13) for _ in range(5))
    assert all(text[part.end : part.end + 2] in ("\n\n", "") for part in chunk_document(document(text), words))


def test_no_chunk_crosses_a_heading_and_each_knows_its_trail() -> None:
    text = "Before.\n\n# A\n\nUnder A.\n\n## B\n\nUnder B.\n\n# C\n\nUnder C.\n"
    assert [(part.text, part.trail) for part in chunk_document(markdown(text), words)] == [
        ("Before.", ()),
        ("# A\n\nUnder A.", ("A",)),
        ("## B\n\nUnder B.", ("A", "B")),
        ("# C\n\nUnder C.", ("C",)),
    ]


def test_a_heading_without_text_is_joined_with_the_next() -> None:
    assert [(part.text, part.trail) for part in chunk_document(markdown("# A\n\n## B\n\nUnder B.\n"), words)] == [
        ("# A\n\n## B\n\nUnder B.", ("A", "B"))
    ]


def test_a_sentence_over_the_limit_is_cut_at_a_clause() -> None:
    text = "It lists " + ", ".join(f"thing number {number}" for number in range(300)) + "."
    parts = chunk_document(document(text), words)
    assert len(parts) > 1
    assert all(part.text.endswith((",", ".")) for part in parts)
    assert all(len(words(part.text)) <= LIMIT for part in parts)
    assert " ".join(part.text for part in parts) == text


def test_an_endless_word_is_cut_though_the_tokeniser_sees_one_piece() -> None:
    text = "A" * 100_000
    parts = chunk_document(document(text), words)
    assert "".join(part.text for part in parts) == text
    assert max(len(part.text) for part in parts) <= 20 * TARGET


def test_identity_depends_on_document_version_and_place() -> None:
    names = {chunk_id(*parts) for parts in (("a", "v", 0, 1), ("b", "v", 0, 1), ("a", "w", 0, 1), ("a", "v", 0, 2))}
    assert len(names) == 4


PIECES = st.sampled_from(
    [
        "One sentence. ", "word ", "Heading\n", "# H\n", "## I\n\n", "\n", "\n\n", "\r\n", "\f", "\0", "e\u0301\u0323",
        "👨‍👩‍👧‍👦 ", "שלום עולם. ",
        "مرحبا بالعالم؟ ", "日本語の文。", "\u200f", "\u2028", "- item\n", "| a | b |\n", "x" * 300, "long, " * 90,
    ]
)  # fmt: skip


@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(PIECES, max_size=80).map("".join)))
def test_chunks_are_literal_ordered_whole_sentences_within_the_limit(text: str) -> None:
    source = markdown(text)
    parts = chunk_document(source, words)
    assert [part.ordinal for part in parts] == list(range(len(parts)))
    assert all(part.text == text[part.start : part.end] == part.text.strip() != "" for part in parts)
    assert all(before.end <= after.start for before, after in pairwise(parts))
    assert all(len(words(part.text)) <= LIMIT * 1.2 for part in parts)
    covered = "".join(part.text for part in parts)
    assert [c for c in covered if c.isalnum()] == [c for c in text if c.isalnum()]


@settings(deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=40), st.sampled_from([" ", "\n", "\n\n"]))
def test_no_chunk_begins_or_ends_inside_a_sentence(lengths: list[int], gap: str) -> None:
    text = gap.join("The " + "word " * length + "ends." for length in lengths)
    starts, ends = map(set, zip(*sentence_spans(text), strict=True))
    for part in chunk_document(document(text), words):
        assert part.start in starts
        assert part.end in ends
