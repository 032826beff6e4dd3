"""`quoth eval cluster`: how far two systems find the same, worked by hand."""

from evaluation.speed.cluster import agreement


def test_agreement_counts_sets_first_places_and_common_shares() -> None:
    one = {
        "hits": [["a", "b"], ["a", "b"], ["a"], []],
        "dense": [[1, 2], [1, 2], [], [3]],
        "words": [list(range(12)), [1], [1], [1]],
    }
    other = {
        "hits": [["b", "a"], ["a", "c"], ["a", "d"], []],
        "dense": [[2, 1], [1, 3], [], [4]],
        "words": [[*range(10), 50], [1], [1], []],
    }
    assert agreement(one, other) == {
        "same": 0.5,  # the first and the last question
        "first": 0.75,  # all but the first question
        "hits": (1 + 1 / 2 + 1 / 2 + 1) / 4,
        "dense": (1 + 1 / 2 + 1 + 0) / 4,
        "words": (1 + 1 + 1 + 0) / 4,  # of the first ten
    }
