"""Writes the lists and configs of a user's data."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmcloudseg.datasets.own.config_text import dataset_text
from mmcloudseg.datasets.own.splits import SPLITS
from mmcloudseg.datasets.own.survey import OwnData
from mmcloudseg.utils.errors import DataError
from mmcloudseg.utils.files import write_text

_EXAMPLE = "your_data"
_EXAMPLE_TEXT = "files of your own"
_MODELS = {False: ("cloudseg_mit-b4", "schedule_30e"), True: ("cloudseg_mit-b0", "schedule_mini")}
_PREFIX = "cloudseg_"


@dataclass(frozen=True)
class Written:
    """The config to train, and the lists by split."""

    config: Path
    lists: dict[str, Path]


def write_configs(
    data: OwnData,
    out: str | Path,
    shipped: str | Path,
    lists: str | Path | None = None,
    crop_size: int = 256,
    small: bool = False,
    overwrite: bool = False,
) -> Written:
    """Write a base config of the data, leaves of CloudSeg, and the lists of samples.

    With cloud-free images the leaves are a student, a teacher and the distillation of the two;
    without, land cover alone.

    Args:
        data: What was found.
        out: The config to train; the other leaves' names say student and teacher.
        shipped: The folder of the shipped configs, which the written ones inherit from.
        lists: Where the lists go; the data's folder by default.
        crop_size: Longest side of training crops in optical pixels.
        small: MiT-B0 from scratch for 400 iterations, instead of MiT-B4 for 30 epochs.
        overwrite: Replace files that are there.

    Raises:
        DataError: If a file is there already.
    """
    out, shipped = Path(out).absolute(), Path(shipped).absolute()
    name = out.stem.removeprefix(_PREFIX)
    prefix = out.stem[: len(out.stem) - len(name)]
    folder = Path(lists or data.root).absolute()
    paths = {split: folder / f"{name}_{split}.csv" for split in SPLITS if data.splits[split]}
    files = {paths[split]: _list_text(data, data.splits[split]) for split in paths}
    base = out.parent / "_base_" / "datasets" / f"{name}.py"
    files[base] = dataset_text(data, paths, crop_size, small)
    if data.cloud_free:
        for role, target in (
            ("", out),
            ("student_", out.with_name(f"{prefix}student_{name}.py")),
            ("teacher_", out.with_name(f"{prefix}teacher_{name}.py")),
        ):
            files[target] = _leaf(shipped / f"cloudseg_{role}{_EXAMPLE}.py", out, shipped, small)
    else:
        files[out] = _leaf(shipped / f"cloudseg_none_{_EXAMPLE}.py", out, shipped, small)
    there = [str(path) for path in files if path.exists()]
    if there and not overwrite:
        remedy = (
            "Choose another name (--out), another folder of the lists (--lists), or --overwrite."
        )
        raise DataError.from_problems("files that are there already", there, remedy)
    for path, text in files.items():
        write_text(path, text)
    return Written(out, paths)


def _leaf(example: Path, out: Path, shipped: Path, small: bool) -> str:
    """A shipped leaf for other data, with the bases where they lie as seen from ``out``."""
    name = out.stem.removeprefix(_PREFIX)
    text = example.read_text(encoding="utf-8").replace(_EXAMPLE_TEXT, name)
    if not out.stem.startswith(_PREFIX):
        text = text.replace(f"{_PREFIX}student_", "student_").replace(
            f"{_PREFIX}teacher_", "teacher_"
        )
    text = text.replace(_EXAMPLE, name)
    model, schedule = _MODELS[small]
    text = text.replace("cloudseg_mit-b4", model).replace("schedule_30e", schedule)
    # Elsewhere the way to the shipped bases is written in full: the configs can then be moved.
    bases = "_base_" if out.parent == shipped else (shipped / "_base_").as_posix()
    for kept in ("models", "schedules", "default_runtime"):
        text = text.replace(f'"_base_/{kept}', f'"{bases}/{kept}')
    return text


def _list_text(data: OwnData, names: Sequence[str]) -> str:
    """A CSV list, paths relative to each modality's folder."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(data.folders)
    for name in names:
        sample = data.samples[name]
        writer.writerow(
            os.path.relpath(sample[key], folder or ".").replace(os.sep, "/")
            for key, folder in data.folders.items()
        )
    return text.getvalue()
