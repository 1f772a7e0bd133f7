"""Prints by how many megabytes this process grows for a model and a prediction, asked on stdin."""

from __future__ import annotations

import contextlib
import json
import re
import resource
import sys
from pathlib import Path

import torch
from mmengine.config import Config

import mmcloudseg  # noqa: F401  (registers everything, which is not what is measured)
from mmcloudseg.benchmark.cost import build_model

_STATUS = Path("/proc/self/status")


def main() -> None:
    """Read ``config`` (Python text), ``shape`` and ``threads`` as JSON; print the growth."""
    asked = json.loads(sys.stdin.read())
    torch.set_num_threads(asked["threads"])
    cfg = Config.fromstring(asked["config"], ".py")
    forget_peak()
    before = peak_mb()
    model = build_model(cfg)
    with torch.no_grad():
        model.predict(torch.rand(1, *asked["shape"]))
    print(peak_mb() - before)


def forget_peak() -> None:
    """Set the peak to what is held now, where the system can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> float:
    """Most memory that this process has held, in megabytes."""
    # Linux's getrusage starts at the peak of the process that started this one.
    if _STATUS.is_file():
        found = re.search(r"^VmHWM:\s*(\d+) kB", _STATUS.read_text(), re.MULTILINE)
        if found:
            return int(found.group(1)) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


if __name__ == "__main__":
    main()
