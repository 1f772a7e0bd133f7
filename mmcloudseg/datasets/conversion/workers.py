"""Processes that share out work, and end with their parent however it ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, TypeVar

Result = TypeVar("Result")

SECONDS_BETWEEN_LOOKS = 0.1


def default_jobs() -> int:
    """How many processes to start: one for each core that may be used, at most four."""
    return min(4, len(os.sched_getaffinity(0)))


class Workers:
    """Runs tasks in other processes; with one job, in this one.

    The processes are forked, because importing the package takes each of them seconds: start them
    before any thread. They leave Ctrl-C to their parent, and end when it is killed.

    Args:
        jobs: Number of processes.
    """

    def __init__(self, jobs: int) -> None:
        self._processes: dict[Connection, multiprocessing.Process] = {}
        context = multiprocessing.get_context("fork")
        for _ in range(jobs if jobs > 1 else 0):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, os.getpid()), daemon=True)
            process.start()
            # Ours alone would keep the pipe open after the process has died.
            theirs.close()
            self._processes[ours] = process

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._processes.values():
            process.terminate()
        for connection, process in self._processes.items():
            process.join()
            connection.close()

    def run(self, tasks: Iterable[Callable[[], Result]]) -> Iterator[Result]:
        """Run tasks.

        Args:
            tasks: Functions without arguments, which can be pickled. They are asked for one by
                one, when a process is free.

        Yields:
            Their results, in the order in which they are ready.

        Raises:
            ChildProcessError: If a process ended before its task.
            Exception: Whatever a task raises.
        """
        if not self._processes:
            yield from (task() for task in tasks)
            return
        waiting = iter(tasks)
        busy = [connection for connection in self._processes if _start(connection, waiting)]
        while busy:
            for connection in wait(busy):
                result = self._receive(connection)
                if not _start(connection, waiting):
                    busy.remove(connection)
                yield result

    def _receive(self, connection: Connection) -> Any:
        try:
            done, result = connection.recv()
        except (EOFError, ConnectionError) as error:
            process = self._processes[connection]
            process.join()
            raise ChildProcessError(
                f"a worker process ended before its work (exit code {process.exitcode}; -9 often "
                "means that memory ran out): give fewer --jobs"
            ) from error
        if not done:
            raise result
        return result


def _start(connection: Connection, waiting: Iterator[Callable[[], Any]]) -> bool:
    for task in waiting:
        connection.send(task)
        return True
    return False


def _serve(connection: Connection, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    while True:
        task = connection.recv()
        try:
            message = (True, task())
        except Exception as error:
            message = (False, error)
        connection.send(message)


def _end_with(parent: int) -> None:
    """A killed parent cannot tell its processes to stop; they would go on writing without it."""
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os._exit(1)
