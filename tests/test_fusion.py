"""Reciprocal rank fusion, with the arithmetic written out."""

import pytest

from index.search.fusion import reciprocal_rank


def test_an_id_scores_the_sum_of_its_reciprocal_ranks() -> None:
    fused = dict(reciprocal_rank([[7, 8, 9], [8, 5]], constant=10))
    assert fused[8] == pytest.approx(1 / 12 + 1 / 11)
    assert fused[7] == pytest.approx(1 / 11)
    assert fused[5] == pytest.approx(1 / 12)
    assert fused[9] == pytest.approx(1 / 13)


def test_the_best_comes_first_and_agreement_beats_one_first_place() -> None:
    assert [item for item, _ in reciprocal_rank([[1, 2, 3], [4, 2, 5]], constant=10)] == [2, 1, 4, 3, 5]


def test_equal_scores_go_by_rank_then_by_ranking_then_by_id() -> None:
    assert [item for item, _ in reciprocal_rank([[9], [3]], constant=10)] == [9, 3]
    assert [item for item, _ in reciprocal_rank([[9, 1], [3, 2]], constant=10)] == [9, 3, 1, 2]


def test_a_small_constant_favours_first_places() -> None:
    # 1/(c+1) against 2/(c+3): the single first place wins below c = 1, two third places win above it
    rankings = [[1, 8, 2], [6, 7, 2]]
    assert reciprocal_rank(rankings, constant=0)[0][0] == 1
    assert reciprocal_rank(rankings, constant=10)[0][0] == 2


def test_a_ranking_with_a_larger_weight_counts_more_and_comes_first_among_equals() -> None:
    assert reciprocal_rank([["a"], ["b"]], constant=60, weights=(0.5, 1.0)) == [("b", 1 / 61), ("a", 0.5 / 61)]
    heavy = [str(rank) for rank in range(1, 63)]
    ranked = [item for item, _ in reciprocal_rank([heavy, ["light"]], constant=60, weights=(1.0, 0.5))]
    assert ranked[-2:] == ["62", "light"]  # 1 / (60 + 62) = 0.5 / (60 + 1)


def test_no_rankings_fuse_to_nothing() -> None:
    assert reciprocal_rank([]) == []
    assert reciprocal_rank([[], []]) == []
