"""Many scenes, shared by several processes."""

from __future__ import annotations

import csv
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import all_gather_object, get_dist_info

from mmcloudseg.scenes.predictor import ScenePredictor, SceneReport
from mmcloudseg.utils.errors import DataError

COLUMNS = ("optical", "sar", "out")


@dataclass(frozen=True)
class ScenePair:
    """Files of a scene: optical image, SAR (or None), map."""

    optical: str
    sar: str | None
    out: str


def read_pairs(path: str) -> list[ScenePair]:
    """Read a list of scenes.

    Args:
        path: CSV with the columns optical, sar and out; sar may be empty. Relative paths are
            relative to the list's folder.

    Raises:
        DataError: It cannot be read, lacks a column, or names an output twice.
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
            raise DataError(f"{path}: line {number} names no optical raster, or no out.")
        placed = {name: _placed(folder, cell) for name, cell in cells.items()}
        pairs.append(ScenePair(placed["optical"], placed["sar"] or None, placed["out"]))
    outs = [pair.out for pair in pairs]
    twice = sorted({out for out in outs if outs.count(out) > 1})
    if twice:
        raise DataError(
            f"{path}: names {twice[0]} twice as out. Give each scene a map of its own."
        )
    return pairs


def predict_list(
    config: str,
    checkpoint: str,
    pairs: Sequence[ScenePair],
    *,
    device: str | None = None,
    options: Mapping[str, Any] | None = None,
    amp: bool = False,
    resume: bool = False,
    overwrite: bool = False,
    **settings: Any,
) -> list[SceneReport]:
    """Map scenes, this process's part of them if several share the list.

    Of n processes that ``torchrun`` started, on one machine or several, each takes every n-th
    scene. A scene that cannot be mapped does not stop the
    others.

    Args:
        config: The config file.
        checkpoint: Its checkpoint.
        pairs: The scenes.
        device: As in :class:`ScenePredictor`; by default each process takes its own GPU.
        options: Dotted keys of the config and their values.
        amp: Half precision.
        resume: Leave out scenes that are mapped, and go on with those that are begun.
        overwrite: Replace maps that are there.
        settings: As in :class:`SceneSettings`.

    Returns:
        What this process has made.

    Raises:
        DataError: Scenes could not be mapped; raised in every process when all have finished.
    """
    if shared_by_torchrun():
        _join_processes()
        if device is None and torch.cuda.is_available():
            device = f"cuda:{int(os.environ['LOCAL_RANK']) % torch.cuda.device_count()}"
    rank, world = get_dist_info()
    reports, problems = [], []
    predictor = ScenePredictor(config, checkpoint, device, options, amp)
    warnings.simplefilter("always", UserWarning)
    for pair in pairs[rank::world]:
        if resume and not overwrite and os.path.exists(pair.out):
            print(f"{pair.out}: is there already", flush=True)
            continue
        try:
            report = predictor.predict(
                pair.optical,
                pair.sar,
                pair.out,
                resume=resume,
                overwrite=overwrite,
                progress=rank == 0,
                **settings,
            )
        except (OSError, ValueError) as error:
            problems.append(str(error))
            continue
        reports.append(report)
        print(report, flush=True)
    everywhere = [line for lines in all_gather_object(problems) for line in lines]
    if everywhere:
        if len(pairs) == 1:
            raise DataError(everywhere[0])
        raise DataError.from_problems(f"not mapped of {len(pairs)} scenes", everywhere)
    return reports


def shared_by_torchrun() -> bool:
    """Whether this process is one of several that share a list."""
    return "TORCHELASTIC_RUN_ID" in os.environ and int(os.environ.get("WORLD_SIZE", 1)) > 1


def _join_processes() -> None:
    # All that they tell each other is what went wrong, at the very end: gloo is enough beside GPUs
    # too, and must not lose patience with whoever has the largest scene.
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group("gloo", timeout=timedelta(days=30))


def _placed(folder: Path, cell: str) -> str:
    if not cell or cell.startswith("/vsi") or "://" in cell:
        return cell
    return os.path.normpath(folder / cell)
