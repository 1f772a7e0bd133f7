"""A pool of processes that end with their parent, however it ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """Runs a function on many items in other processes; with one job, in this process.

    ``ProcessPoolExecutor`` lacks one thing: its processes outlive a killed parent. They are forked
    (joblib's are not), because importing the package would take each of them seconds.

    Args:
        jobs: Number of processes; by default one for each core that may be used, at most four.
    """

    def __init__(self, jobs: int | None = None) -> None:
        jobs = jobs or min(4, len(os.sched_getaffinity(0)))
        self._pool = None
        if jobs > 1:
            context = multiprocessing.get_context("fork")
            self._pool = ProcessPoolExecutor(jobs, context, _follow_parent, (os.getpid(),))

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Apply a function to each item; both can be pickled, and all items are taken at once.

        Returns:
            The results, in the order in which they are ready. An exception of the function is
            raised again here; a process that dies raises ``ChildProcessError``.
        """
        if self._pool is None:
            return map(function, items)
        # Not in a generator: the processes have to be forked before there is any thread, such as
        # that of a progress bar.
        return _results([self._pool.submit(function, item) for item in items])


def _results(futures: list[Future[Result]]) -> Iterator[Result]:
    try:
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool as error:
        raise ChildProcessError(
            "a worker process was killed, which often means that memory ran out: use fewer --jobs"
        ) from error


def _follow_parent(parent: int) -> None:
    """Leave Ctrl-C to the parent, and end when it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """A killed parent cannot stop its processes; they would go on writing without it."""
    while os.getppid() == parent:
        time.sleep(0.1)
    os._exit(1)
