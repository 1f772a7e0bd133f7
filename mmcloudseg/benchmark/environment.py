"""The machine and the software that a benchmark ran on."""

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
from mmengine.utils.dl_utils import collect_env

from mmcloudseg.benchmark.run import Run


def cpu_model() -> str:
    """Return the name of the processor."""
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.is_file() else ""
    if found := re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE):
        return found[1].strip()
    return platform.processor() or platform.machine()


def machine() -> str:
    """Describe in one line what determines the speed of a network."""
    gpu = [torch.cuda.get_device_name()] if torch.cuda.is_available() else []
    cores = f"{os.cpu_count()} cores, {torch.get_num_threads()} threads"
    return "; ".join([*gpu, cpu_model(), cores, f"torch {torch.__version__}"])


def environment_text(runs: Iterable[Run]) -> str:
    """List the date, command, commit, machine, run times and packages, one per line.

    ``collect_env`` of MMEngine does not know the processor, the memory and the packages.
    """
    # MMEngine's report without its entries on folders of the machine and on random numbers.
    shown = ("Python", "CUDA available", "GPU", "NVCC", "GCC")
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    lines = [
        f"date: {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC",
        f"command: {shlex.join(['python', *sys.argv])}",
        f"commit: {_commit()}",
        f"system: {platform.system()} {platform.machine()}",
        f"processor: {cpu_model()}, {os.cpu_count()} cores",
        f"memory: {memory_gib:.1f} GiB",
        *(f"{key}: {value}" for key, value in collect_env().items() if key.startswith(shown)),
        "",
        "seconds of each run (training, test and robustness together):",
    ]
    seconds = {run.name: run.seconds() for run in runs}
    lines += [f"  {name}: {taken:.0f}" for name, taken in seconds.items()]
    packages = {
        f"  {package.metadata['Name']}=={package.version}"
        for package in importlib.metadata.distributions()
        if package.metadata["Name"]
    }
    lines += [f"  all: {sum(seconds.values()):.0f}", "", "packages:"]
    return "\n".join([*lines, *sorted(packages, key=str.lower)]) + "\n"


def _commit() -> str:
    # ``get_git_hash`` of MMEngine asks the working directory's checkout, which may be another one.
    describe = ["describe", "--always", "--exclude=*", "--abbrev=40", "--dirty"]
    command = ["git", "-C", str(Path(__file__).parent), *describe]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "not a git checkout"
    return done.stdout.strip().replace("-dirty", ", with uncommitted changes")
