"""tests/growth.py itself: what is linear passes, what is quadratic fails, and neither for the noise of one run."""

import gc

import pytest

from tests.growth import assert_growth, assert_linear


def linear(size: int) -> int:
    return sum(range(200 * size))


def quadratic(size: int) -> int:
    return sum(sum(range(size)) for _ in range(size))


def test_linear_work_passes_and_quadratic_work_fails() -> None:
    assert_linear(linear, int, 100)
    with pytest.raises(pytest.fail.Exception, match="the time grows too fast"):
        assert_linear(quadratic, int, 100)


def test_work_that_is_slow_once_is_measured_again() -> None:
    delays = iter([10_000])

    def slow_once(size: int) -> int:
        return linear(next(delays, size) if size == 800 else size)

    assert_linear(slow_once, int, 100)
    assert next(delays, None) is None


def test_garbage_is_collected_again_also_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        assert_growth(lambda size: 1 / size, 0, 0, 1)
    assert gc.isenabled()
