"""A pool of processes that end with their parent, however it ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool


class Workers(ProcessPoolExecutor):
    """A pool whose processes, unlike the library's, do not outlive a killed parent.

    They are forked (joblib's are not), because importing the package would take each of them
    seconds. So the first items have to come before any thread, such as that of a progress bar.

    Ctrl-C stops the parent only, and rasters are opened by the processes only, even for one job:
    an interrupt between two of rasterio's environments would end in its ``EnvError``.

    Args:
        jobs: Number of processes; by default one for each core that may be used, at most four.
    """

    def __init__(self, jobs: int | None = None) -> None:
        jobs = jobs or min(4, len(os.sched_getaffinity(0)))
        context = multiprocessing.get_context("fork")
        super().__init__(jobs, context, _follow_parent, (os.getpid(),))

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.shutdown(cancel_futures=True)
        if isinstance(error, BrokenProcessPool):
            raise ChildProcessError(
                "a worker process was killed, which often means that memory ran out: use fewer "
                "--jobs"
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
