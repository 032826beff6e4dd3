"""Work done ahead in threads, its results taken in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], threads: ThreadPoolExecutor, *, ahead: int
) -> Generator[tuple[Item, Result], None, None]:
    """Each item with its result, in the order given; at most `ahead` of them are begun before they are asked for.

    An error of `work` is raised when its item's turn comes. What has not begun when the caller stops asking never does.
    """
    begun: deque[tuple[Item, Future[Result]]] = deque()
    waiting = iter(items)
    try:
        while True:
            begun.extend((item, threads.submit(work, item)) for item in islice(waiting, ahead - len(begun)))
            if not begun:
                return
            item, future = begun.popleft()
            yield item, future.result()
    finally:
        for _, future in begun:
            future.cancel()
