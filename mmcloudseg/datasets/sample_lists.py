"""Lists of samples: from CSV files, from lists of names, from folders."""

from __future__ import annotations

import csv
import functools
import os
from collections.abc import Iterable, Mapping, Sequence

from mmcloudseg.utils.errors import DataError

MODALITY_NAMES = dict(
    img_path="optical image",
    sar_path="SAR image",
    cloud_free_path="cloud-free image",
    cloud_mask_path="cloud mask",
    seg_map_path="label",
)


def read_csv(
    path: str, columns: Sequence[str] | None, folders: Mapping[str, str], default_folder: str
) -> list[dict[str, str]]:
    """Read a CSV list of samples, one per row: path key -> path.

    Args:
        path: The list.
        columns: The path keys of its columns, in order; None if the first row names them.
        folders: Path key -> folder that its column's paths are relative to.
        default_folder: The folder for keys that are not in ``folders``.

    Raises:
        DataError: If a row has another number of columns, or a column's name is unknown.
    """
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = [(number, row) for number, row in enumerate(csv.reader(file), 1) if any(row)]
    if columns is None:
        columns = [name.strip() for name in rows[0][1]] if rows else []
        rows = rows[1:]
    unknown = [name for name in columns if name not in MODALITY_NAMES]
    if unknown or "img_path" not in columns:
        raise DataError(
            f"{path}: expected a first row that names its columns, among them img_path, from "
            f"{list(MODALITY_NAMES)}; found {list(columns)}. Correct it, or set the dataset's "
            "csv_columns."
        )
    width = len(columns)
    wrong = [f"row {number}: {len(row)} columns" for number, row in rows if len(row) != width]
    if wrong:
        title = f"{path}: rows that do not have {width} columns"
        raise DataError.from_problems(title, wrong, f"Each row lists {', '.join(columns)}.")
    bases = [folders.get(key, default_folder) for key in columns]
    paths = [map(os.path.join, bases, map(str.strip, row)) for _, row in rows]
    return [dict(zip(columns, row, strict=True)) for row in paths]


def read_names(path: str) -> list[str]:
    """Read a list of names, one a line; empty lines do not count."""
    with open(path, encoding="utf-8-sig") as file:
        return [line.strip() for line in file if line.strip()]


def list_names(folder: str, suffix: str) -> list[str]:
    """Paths of the files below a folder that end in ``suffix``, without it, sorted.

    They are relative to ``folder``, with forward slashes.
    """
    names = []
    for parent, _, files in os.walk(folder, followlinks=True):
        relative = os.path.relpath(parent, folder)
        names += [
            os.path.normpath(os.path.join(relative, file[: -len(suffix)])).replace(os.sep, "/")
            for file in files
            if file.endswith(suffix) and not file.startswith(".")
        ]
    return sorted(names)


def samples_by_name(
    names: Iterable[str], folders: Mapping[str, str], suffixes: Mapping[str, str]
) -> list[dict[str, str]]:
    """Paths of samples whose files share a name and differ in folder and suffix."""
    return [
        {key: os.path.join(folder, name + suffixes[key]) for key, folder in folders.items()}
        for name in names
    ]


def missing_files(samples: Iterable[Mapping[str, str]]) -> list[str]:
    """One line for each file that is not there, naming the optical image that it belongs to."""

    @functools.cache
    def names_in(folder: str) -> set[str]:
        # One listing per folder: a look-up per file takes minutes on network disks.
        return set(os.listdir(folder)) if os.path.isdir(folder) else set()

    problems = []
    for sample in samples:
        for key, noun in MODALITY_NAMES.items():
            folder, name = os.path.split(sample.get(key, ""))
            if key in sample and name not in names_in(folder or "."):
                owner = "" if key == "img_path" else f" of {sample['img_path']}"
                problems.append(f"{noun} {sample[key]}{owner}")
    return problems


def unpaired_sar(
    names: Iterable[str], folders: Mapping[str, str], suffixes: Mapping[str, str]
) -> list[str]:
    """One line for each SAR file that belongs to none of the optical images' ``names``."""
    optical, sar = folders["img_path"], folders.get("sar_path")
    if sar is None or sar == optical:
        return []
    surplus = set(list_names(sar, suffixes["sar_path"])) - set(names)
    return [
        f"SAR image {os.path.join(sar, name + suffixes['sar_path'])} without its optical image "
        f"{os.path.join(optical, name + suffixes['img_path'])}"
        for name in sorted(surplus)
    ]
