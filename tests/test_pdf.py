"""The text of PDF pages: hyphens, dot leaders, ligatures, running headers and footers, page ranges."""

from index.formats.pdf import join_pages, readable_pages, without_running_lines


def test_a_hyphenated_word_is_joined_as_the_document_spells_it_elsewhere() -> None:
    page = (
        "The bureaus agree. A state-sponsored act. The class is in. The bu\x02reaus agree on state\x02sponsored acts, "
        "best-in\x02class tack\x02ling of third\x02party risk by a third person of a party, and no other third or party."
    )
    assert readable_pages([page])[0].split(". ", 3)[3] == (
        "The bureaus agree on state-sponsored acts, best-in-class tackling of third-party risk by a third person of a party, "
        "and no other third or party."
    )


def test_a_hyphen_beside_a_figure_stays() -> None:
    assert readable_pages(["Rule 13a\x0215(f)"]) == ["Rule 13a-15(f)"]


def test_dot_leaders_shrink_and_ligatures_open() -> None:
    assert readable_pages(["Eﬃcient oﬃces ........................ 12", "E . . . . . . . . 3"]) == [
        "Efficient offices ... 12",
        "E ... 3",
    ]


def test_running_lines_stay_once_and_page_numbers_go() -> None:
    pages = [
        ["Report 2022", f"Text of page {number}", f"More {word}", str(number)] for number, word in enumerate("abcd", 1)
    ]
    assert without_running_lines(pages) == [
        ["Report 2022", "Text of page 1", "More a"],
        ["Text of page 2", "More b"],
        ["Text of page 3", "More c"],
        ["Text of page 4", "More d"],
    ]


def test_pages_of_one_or_two_lines_have_no_running_lines() -> None:
    for pages in (
        [[f"This is leaf {number}."] for number in range(9)],
        [[f"Leaf {number}", f"Word {number}"] for number in range(9)],
    ):
        assert without_running_lines(pages) == pages


def test_two_equal_pages_are_no_pattern() -> None:
    pages = [["Report", "a b c"], ["Report", "d e f"]]
    assert without_running_lines(pages) == pages


def test_figures_inside_a_table_are_no_page_numbers() -> None:
    pages = [
        [*(f"Text {word}{word * line}" for line in range(9)), "10", "20", str(page)] for page, word in enumerate("abcd")
    ]
    assert without_running_lines(pages) == [page[:-1] for page in pages]


def test_pages_join_where_a_sentence_goes_on() -> None:
    text, ranges = join_pages(["It goes", "on here.", "", "New page."])
    assert text == "It goes\non here.\n\nNew page."
    assert [text[start:end] for start, end in ranges] == ["It goes", "on here.", "", "New page."]
