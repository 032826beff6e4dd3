"""An older and a newer figure of one thing are told apart by the dates of sentences and documents."""

import pytest

from service.text.contradictions import Evidence
from service.text.times import is_newer

OLD = Evidence("In March 2019 the town agreed to buy the mill of Aske for 4.2 million euros.")
NEW = Evidence("On 3 May 2020 the town paid 3.9 million euros for the mill of Aske.")


@pytest.mark.parametrize(
    ("one", "other", "newer"),
    [
        (NEW, OLD, True),
        (OLD, NEW, False),
        (Evidence("A day ticket costs 9 euros.", "Prices 2023"), Evidence("A day ticket costs 8 euros.", "Prices 2021"), True),
        (Evidence("A day ticket costs 9 euros."), Evidence("A day ticket costs 8 euros.", "Prices 2021"), None),
        (Evidence("A day ticket costs 9 euros.", "2023"), Evidence("A day ticket costs 9 euros.", "2021"), None),
        (Evidence("In 2019 the town sold the Alma for 9."), Evidence("In 2021 the town sold the Berta for 8."), None),
        (Evidence("In 2019 the mill had 80 looms."), Evidence("In 2021 the school had 9 rooms."), None),
        (Evidence("From 2001 to 2019 the mill had 80 looms."), Evidence("In 2021 the mill had 9 looms."), None),
        (Evidence("The mill had 80 looms in May 2021."), Evidence("The mill had 90 looms in 2021."), None),
    ],
)  # fmt: skip
def test_the_newer_of_two_statements(one: Evidence, other: Evidence, newer: bool | None) -> None:
    assert is_newer(one, other) is newer
