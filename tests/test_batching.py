"""index.inference.batching: calls joined into batches, their order and limits, errors, and callers who leave."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context

import pytest

from index.inference.batching import ABANDONED, Abandoned, Batcher


class Doubler:
    """Doubles numbers in batches, each when the test lets it run; records the batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self._running = threading.Lock()

    def __call__(self, rows: Sequence[int]) -> list[int]:
        assert self._running.acquire(blocking=False), "two runs at once"
        try:
            self.batches.append(list(rows))
            self.begun.release()
            assert self.go.acquire(timeout=10)
            if 13 in rows:
                raise ValueError(f"13 is in {list(rows)}")
            return [2 * row for row in rows]
        finally:
            self._running.release()


class BatcherWithThreads:
    """A batcher with a doubler, and threads that call it."""

    def __init__(self) -> None:
        self.doubler = Doubler()
        self.batcher: Batcher[int, int] = Batcher(self.doubler, size=lambda row: 1, max_size=4)
        self.pool = ThreadPoolExecutor(16)

    def occupy(self, *rows: int) -> Future[Sequence[int]]:
        """Start a call that runs and blocks the batcher until `go`."""
        future = self.pool.submit(self.batcher, rows)
        assert self.doubler.begun.acquire(timeout=10)
        return future

    def queue(self, *rows: int, abandoned: threading.Event | None = None) -> Future[Sequence[int]]:
        """Start a call that waits in the queue."""
        before = self.batcher.waiting
        context = copy_context()
        context.run(ABANDONED.set, abandoned)
        future = self.pool.submit(context.run, self.batcher, rows)
        deadline = time.monotonic() + 10
        while self.batcher.waiting == before:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        return future


@pytest.fixture
def calls() -> Iterator[BatcherWithThreads]:
    calls = BatcherWithThreads()
    yield calls
    calls.doubler.go.release(100)
    calls.pool.shutdown()


def test_a_single_call_runs_at_once_in_its_own_thread() -> None:
    threads = []

    def run(rows: Sequence[int]) -> list[int]:
        threads.append(threading.current_thread())
        return list(rows)

    batcher: Batcher[int, int] = Batcher(run, size=lambda row: 1, max_size=4)
    assert batcher([1, 2]) == [1, 2]
    assert threads == [threading.current_thread()]


def test_calls_that_arrive_during_a_run_form_the_next_batch_and_each_gets_its_own_results(
    calls: BatcherWithThreads,
) -> None:
    first = calls.occupy(1)
    others = [calls.queue(2), calls.queue(3, 4), calls.queue(5)]
    calls.doubler.go.release(2)
    assert first.result(10) == [2]
    assert [other.result(10) for other in others] == [[4], [6, 8], [10]]
    assert calls.doubler.batches == [[1], [2, 3, 4, 5]]


def test_a_batch_is_filled_in_order_of_arrival_and_a_larger_call_runs_alone(calls: BatcherWithThreads) -> None:
    first = calls.occupy(1)
    others = [calls.queue(2, 3, 4), calls.queue(5, 6), calls.queue(7, 8, 9, 10, 11), calls.queue(12)]
    calls.doubler.go.release(5)
    assert first.result(10) == [2]
    assert [len(other.result(10)) for other in others] == [3, 2, 5, 1]
    assert calls.doubler.batches == [[1], [2, 3, 4], [5, 6], [7, 8, 9, 10, 11], [12]]


def test_an_error_reaches_only_the_caller_whose_rows_caused_it(calls: BatcherWithThreads) -> None:
    first = calls.occupy(1)
    good, bad = calls.queue(2), calls.queue(13)
    calls.doubler.go.release(10)
    assert first.result(10) == [2]
    assert good.result(10) == [4]
    with pytest.raises(ValueError, match=r"13 is in \[13\]"):
        bad.result(10)
    assert calls.batcher([3]) == [6]


def test_an_error_of_the_first_does_not_stop_the_queue(calls: BatcherWithThreads) -> None:
    first, other = calls.occupy(13), calls.queue(2)
    calls.doubler.go.release(2)
    with pytest.raises(ValueError, match="13"):
        first.result(10)
    assert other.result(10) == [4]


def test_a_call_that_left_the_queue_is_not_run(calls: BatcherWithThreads) -> None:
    left = threading.Event()
    first = calls.occupy(1)
    gone, gone_too, stays = calls.queue(2, abandoned=left), calls.queue(3, 4, abandoned=left), calls.queue(5)
    left.set()
    calls.doubler.go.release(2)
    assert first.result(10) == [2]
    assert stays.result(10) == [10]
    for future in (gone, gone_too):
        with pytest.raises(Abandoned):
            future.result(10)
    assert calls.doubler.batches == [[1], [5]]


def test_many_threads_all_get_their_results() -> None:
    batcher: Batcher[int, int] = Batcher(lambda rows: [row * row for row in rows], size=lambda row: 1, max_size=8)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda n: batcher([n, n + 1]), range(2000)))
    assert found == [[n * n, (n + 1) ** 2] for n in range(2000)]
    assert batcher.waiting == 0
