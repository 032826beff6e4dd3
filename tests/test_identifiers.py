"""A question that names an identifier is answered from the passages that name it too."""

from index.records import Chunk, Hit
from service.answering.finding import hits_with_identifiers


def hit(text: str, title: str = "T", trail: tuple[str, ...] = ()) -> Hit:
    return Hit(Chunk(text, "d", "v", 0, 0, len(text), text, trail=trail), title, "file:///d", None, 0.5)


SETTINGS = hit("max_connections is 100 by default.")
OTHERS = hit("reserved_connections is 0 by default; max connections count.")
UNDER = hit("The default is 100.", trail=("Settings", "MAX_CONNECTIONS"))


def test_only_passages_that_name_the_identifier_asked_for_are_read() -> None:
    assert hits_with_identifiers("What is the default of max_connections?", [OTHERS, SETTINGS, UNDER]) == [
        SETTINGS,
        UNDER,
    ]
    assert hits_with_identifiers("What is postgres.max_connections?", [OTHERS, SETTINGS]) == [SETTINGS]
    assert hits_with_identifiers("max_connections or reserved_connections?", [OTHERS, SETTINGS]) == [OTHERS, SETTINGS]


def test_all_passages_are_read_where_no_identifier_is_asked_for_or_named() -> None:
    assert hits_with_identifiers("What is no_such_setting?", [OTHERS, SETTINGS]) == [OTHERS, SETTINGS]
    assert (
        hits_with_identifiers("How many connections in COVID-19 times, by the 10-Q?", [OTHERS, hit("COVID-19")])[0]
        == OTHERS
    )
    assert hits_with_identifiers("max_connections?", []) == []
