"""Lists of scenes, and the processes that share one."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import torch

from mmcloudseg.utils.errors import DataError

COLUMNS = ("optical", "sar", "out")


class ScenePair(NamedTuple):
    """The files of a scene: optical image, SAR image (or None), map."""

    optical: str
    sar: str | None
    out: str


def read_pairs(path: str) -> list[ScenePair]:
    """Read a list of scenes.

    Args:
        path: A CSV file with the columns optical, sar and out; sar may be empty. Relative paths
            are relative to the list's folder.

    Raises:
        DataError: The list cannot be read, lacks a column, or names an output twice.
    """
    folder = Path(path).parent
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            rows = list(reader)
            found = [name.strip() for name in reader.fieldnames or []]
            rows = [dict(zip(found, row.values(), strict=False)) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as a CSV list ({error}).") from error
    if not rows or not set(COLUMNS) <= set(found):
        raise DataError(
            f"{path}: has {len(rows)} scene(s) and the columns {found}, expected a first line "
            f"`{','.join(COLUMNS)}` and a line for each scene."
        )
    pairs = []
    for number, row in enumerate(rows, start=2):
        cells = {name: (row[name] or "").strip() for name in COLUMNS}
        if not cells["optical"] or not cells["out"]:
            raise DataError(f"{path}: line {number} lacks an optical raster or an output: add it.")
        placed = {name: _placed(folder, cell) for name, cell in cells.items()}
        pairs.append(ScenePair(placed["optical"], placed["sar"] or None, placed["out"]))
    for out, times in Counter(pair.out for pair in pairs).items():
        if times > 1:
            raise DataError(f"{path}: names the output {out} twice. Give each scene its own map.")
    return pairs


@contextmanager
def process_group() -> Iterator[None]:
    """The group of the processes that ``torchrun`` started, if it started several."""
    several = "TORCHELASTIC_RUN_ID" in os.environ and int(os.environ.get("WORLD_SIZE", 1)) > 1
    if not several or torch.distributed.is_initialized():
        yield
        return
    # The processes only exchange error messages, at the very end: gloo is sufficient, with GPUs
    # too, and must not time out while another process still maps the largest scene.
    torch.distributed.init_process_group("gloo", timeout=timedelta(days=30))
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()


def _placed(folder: Path, cell: str) -> str:
    if not cell or cell.startswith("/vsi") or "://" in cell:
        return cell
    return os.path.normpath(folder / cell)
