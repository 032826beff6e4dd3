"""Whether work takes time in proportion to its input: eight times the input, some eight times as long, not sixty-four times.

Only the CPU time of the calling thread counts: what servers and OpenVINO do meanwhile is no part of it, and neither is what the
work itself leaves to other threads and processes. Garbage is not collected meanwhile.
"""

import gc
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

LARGER = 8
LIMIT = 24  # linear work takes 8 times as long, quadratic 64 times: noise of a factor of almost three either way
ATTEMPTS = 5

Given = TypeVar("Given")


def assert_linear(work: Callable[[Given], object], made: Callable[[int], Given], size: int) -> None:
    """`work` on what is `made` in eight times the size takes less than 24 times as long. `made` is not measured."""
    assert_growth(work, made(size), made(LARGER * size), LIMIT)


def assert_growth(work: Callable[[Given], object], short: Given, long: Given, limit: float) -> None:
    """`work` on the long input takes less than `limit` times as long as on the short one.

    Noise only ever makes a run slower, so the short input has the best of three runs, and both are measured again before the
    test fails: what grows too fast does so in every attempt.
    """
    found = []
    for _ in range(ATTEMPTS):
        base = min(cpu_seconds(work, short) for _ in range(3))
        taken = cpu_seconds(work, long)
        if taken < limit * base:
            return
        found.append(f"{base * 1000:.2f} ms and {taken * 1000:.2f} ms")
    pytest.fail(
        f"the time grows too fast with the input: more than {limit} times as long in each of: {'; '.join(found)}"
    )


def cpu_seconds(work: Callable[[Given], object], given: Given) -> float:
    """The CPU time that this thread needs for `work` on what is given."""
    collects = gc.isenabled()
    gc.disable()
    try:
        begin = time.thread_time()
        work(given)
        return time.thread_time() - begin
    finally:
        if collects:
            gc.enable()
