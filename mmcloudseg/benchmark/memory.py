"""Peak memory, measured in a new process for each measurement.

The peak of a process never falls, so one that has measured something cannot measure less.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import re
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

_Result = TypeVar("_Result")


def call_in_new_process(function: Callable[..., _Result], *arguments: Any) -> _Result:
    """Call a module's function in a new process that shares no memory with this one.

    Arguments, result and errors are pickled; what the function raises is raised here.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def forget_peak() -> None:
    """Reset the peak of this process to its present memory, where the system can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> float:
    """Return the peak memory of this process in megabytes."""
    # On Linux, getrusage starts at the peak of the parent process.
    status = Path("/proc/self/status")
    text = status.read_text() if status.is_file() else ""
    if found := re.search(r"^VmHWM:\s*(\d+) kB", text, re.MULTILINE):
        return int(found[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
