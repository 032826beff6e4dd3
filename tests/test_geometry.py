"""Where the words of a page stand: packed and unpacked, and the boxes of a range."""

from hypothesis import given
from hypothesis import strategies as st

from index.blocks.geometry import (
    Box,
    PageGeometry,
    PlacedBox,
    PlacedWord,
    boxes,
    from_lists,
    pack,
    page_geometry,
    to_lists,
    unpack,
)

edges = st.integers(-10_000, 300_000).map(lambda units: units / 20)
words = st.lists(
    st.builds(
        lambda start, length, left, top, width, height: PlacedWord(
            start, start + length, Box(left, top, left + width, top + height)
        ),
        st.integers(0, 30_000_000),
        st.integers(0, 500),
        *[edges] * 4,
    ),
    max_size=30,
)


@given(words)
def test_words_come_back_in_the_order_of_the_text(given_words: list[PlacedWord]) -> None:
    found = page_geometry(3, 612, 792, given_words).words()
    assert [word[:2] for word in found] == [word[:2] for word in sorted(given_words)]
    for word, given_word in zip(found, sorted(given_words), strict=True):
        assert max(abs(edge - other) for edge, other in zip(word.box, given_word.box, strict=True)) <= 1 / 20


@given(st.lists(words, max_size=4))
def test_pages_come_back_from_json_and_from_the_ledger(pages: list[list[PlacedWord]]) -> None:
    given_pages = tuple(page_geometry(number, 595.28, 841.89, words) for number, words in enumerate(pages, start=1))
    assert from_lists(to_lists(given_pages)) == given_pages
    assert unpack(pack(given_pages)) == given_pages


def place(start: int, end: int, left: float, top: float) -> PlacedWord:
    return PlacedWord(start, end, Box(left, top, left + 20, top + 10))


def test_a_range_has_one_box_for_each_line_and_page() -> None:
    # "The fee is|due in May" on page 1, "and June" on page 2
    first = page_geometry(
        1,
        200,
        300,
        [place(0, 3, 10, 20), place(4, 7, 32, 20), place(8, 10, 54, 21), place(11, 14, 10, 34), place(15, 17, 32, 34)],
    )
    second = page_geometry(2, 200, 300, [place(22, 25, 10, 20), place(26, 30, 32, 20)])
    assert boxes([first, second], 5, 24) == (
        PlacedBox(1, Box(32, 20, 74, 31)),
        PlacedBox(1, Box(10, 34, 52, 44)),
        PlacedBox(2, Box(10, 20, 30, 30)),
    )
    assert boxes([first, second], 17, 22) == ()


def test_a_word_in_the_next_column_begins_a_box_of_its_own() -> None:
    page = page_geometry(1, 200, 300, [place(0, 3, 100, 20), place(4, 7, 10, 20)])
    assert len(boxes([page], 0, 7)) == 2


def test_a_page_without_words_keeps_its_size() -> None:
    page = page_geometry(7, 612, 792, [])
    assert page == PageGeometry(7, 612, 792)
    assert page.words() == ()
