"""What a benchmark ran on, exactly."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path

import torch

from mmcloudseg.benchmark.run import Run
from mmcloudseg.utils.files import atomic_write

ROOT = Path(__file__).parents[2]


def cpu_model() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        found = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE)
        if found:
            return found.group(1).strip()
    return platform.processor() or platform.machine()


def machine(threads: int) -> str:
    """In one line, what decides how long a network takes."""
    parts = [
        cpu_model(),
        f"{os.cpu_count()} cores, {threads} threads",
        f"torch {torch.__version__}",
    ]
    if torch.cuda.is_available():
        parts.insert(0, torch.cuda.get_device_name())
    return "; ".join(parts)


def environment_text(runs: Iterable[Run], arguments: list[str] | None = None) -> str:
    """Date, command, machine, versions and run times, a line each.

    Args:
        runs: Whose times are listed.
        arguments: The command line; this process's unless given.
    """
    command = shlex.join(["python", *(sys.argv if arguments is None else arguments)])
    lines = [
        f"date: {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC",
        f"command: {command}",
        f"commit: {_commit()}",
        f"system: {platform.platform()}",
        f"processor: {cpu_model()}, {os.cpu_count()} cores",
        f"memory: {_memory_gib():.1f} GiB",
        f"GPU: {torch.cuda.get_device_name() if torch.cuda.is_available() else 'none'}",
        f"Python: {platform.python_version()}",
        "",
        "seconds of each run (train, test, robustness together):",
    ]
    seconds = {run.name: run.seconds() for run in runs}
    lines += [f"  {name}: {taken:.0f}" for name, taken in seconds.items()]
    lines += [f"  all: {sum(seconds.values()):.0f}", "", "packages:"]
    return "\n".join([*lines, *(f"  {package}" for package in _packages())]) + "\n"


def write_environment(folder: Path, runs: Iterable[Run]) -> None:
    """Write ``environment.txt``."""
    with atomic_write(folder / "environment.txt") as temporary:
        temporary.write_text(environment_text(runs))


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    try:
        changed = ", with uncommitted changes" if git("status", "--porcelain", "-uno") else ""
        return git("rev-parse", "HEAD") + changed
    except (OSError, subprocess.CalledProcessError):
        return "not a checkout"


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _packages() -> list[str]:
    found = {
        f"{package.metadata['Name']}=={package.version}"
        for package in importlib.metadata.distributions()
        if package.metadata["Name"]
    }
    return sorted(found, key=str.lower)
