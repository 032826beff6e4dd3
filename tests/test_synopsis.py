"""The synopsis of a command is told apart from sentences, and answers only a question about how the command is written."""

import pytest

from service.text.synopsis import asks_for_synopsis, is_synopsis


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ferry-log [--all | --today] [-v] [<pier>]", True),
        ("pier open [-f FILE] [--dry-run] NAME", True),
        ("ferry-log [--all]", False),
        ("The option [-v] prints more, and [-q] prints less than the ferry log does.", False),
        ("See the maps [3] and the tables [4].", False),
    ],
)
def test_a_synopsis(text: str, expected: bool) -> None:
    assert is_synopsis(text) is expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is the syntax of ferry-log?", True),
        ("How do I list all piers?", True),
        ("Which options has ferry-log?", True),
        ("What is the difference between --all and --today?", False),
        ("What does --today do?", False),
    ],
)
def test_a_question_for_a_synopsis(question: str, expected: bool) -> None:
    assert asks_for_synopsis(question) is expected
