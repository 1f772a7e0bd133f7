"""Work in a thread beside the main one, in order and with a bound on what waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetch(
    call: Callable[[Item], Result], items: Iterable[Item], ahead: int = 2
) -> Iterator[Result]:
    """Results of a call in the items' order, made in a thread before they are asked for.

    Args:
        call: What to do; an error is raised where its result is asked for.
        items: What to do it with.
        ahead: How many results may wait.
    """
    waiting: deque[Future] = deque()
    with ThreadPoolExecutor(1, "read") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(call, item))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


class Background:
    """Calls in a thread, one after the other; at most ``ahead`` of them wait.

    Used as a context manager: leaving it waits for all of them, after an error too. The first
    error of a call is raised by a later ``submit``, or on leaving without another error.
    """

    def __init__(self, ahead: int = 2) -> None:
        self._ahead = ahead
        self._waiting: deque[Future] = deque()
        self._pool = ThreadPoolExecutor(1, "write")

    def __enter__(self) -> Background:
        return self

    def submit(self, call: Callable[..., Any], *args: Any) -> None:
        """Do this later, waiting here if too much is to be done."""
        self._waiting.append(self._pool.submit(call, *args))
        while len(self._waiting) > self._ahead or (self._waiting and self._waiting[0].done()):
            self._waiting.popleft().result()

    def __exit__(self, kind: type | None, *_: object) -> None:
        try:
            while self._waiting and kind is None:
                self._waiting.popleft().result()
        finally:
            self._pool.shutdown()
