"""Lists of samples: from CSV files, from lists of names, from folders."""

from __future__ import annotations

import csv
import functools
import os
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from mmcloudseg.utils.errors import DataError
from mmcloudseg.utils.text import shorten_list

MODALITY_NAMES = dict(
    img_path="optical image",
    sar_path="SAR image",
    cloud_free_path="cloud-free image",
    cloud_mask_path="cloud mask",
    seg_map_path="label",
)
RASTER_SUFFIXES = (".tif", ".tiff", ".jp2", ".img", ".vrt", ".png", ".npy")
"""How files end that may be images or maps."""


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
    place = columns.index("img_path")
    empty = [f"row {number}: no img_path" for number, row in rows if not row[place].strip()]
    if empty:
        remedy = "Each sample needs the path of its optical image, even if it shows nothing."
        raise DataError.from_problems(f"{path}: rows without an optical image", empty, remedy)
    bases = [folders.get(key, default_folder) for key in columns]
    return [
        {
            # An empty cell says that the sample lacks the file.
            key: os.path.join(base, cell.strip()) if cell.strip() else ""
            for key, base, cell in zip(columns, bases, row, strict=True)
        }
        for _, row in rows
    ]


def read_names(path: str) -> list[str]:
    """Read a list of names, one a line; empty lines do not count."""
    with open(path, encoding="utf-8-sig") as file:
        return [line.strip() for line in file if line.strip()]


def list_names(folder: str, suffix: str, others: Iterable[str] = ()) -> list[str]:
    """Paths of the files below a folder that end in ``suffix``, without it, sorted.

    They are relative to ``folder``, with forward slashes. ``.tif`` and ``.TIF`` are the same.
    Rasters that end otherwise are warned of, but for those that end in one of ``others``.

    Raises:
        DataError: If two files differ in the letter case of their suffix only.
    """
    found: dict[str, str] = {}
    left_out = []
    endings = tuple(ending.lower() for ending in others)
    for parent, _, files in os.walk(folder, followlinks=True):
        for file in files:
            path = os.path.normpath(os.path.join(os.path.relpath(parent, folder), file))
            path = path.replace(os.sep, "/")
            name = path[: len(path) - len(suffix)]
            if not file.lower().endswith(suffix.lower()) or file.startswith("."):
                if file.lower().endswith(RASTER_SUFFIXES) and not file.lower().endswith(endings):
                    left_out.append(path)
            elif name in found:
                raise DataError(
                    f"{folder}: {found[name]} and {path} have one name. Rename or remove one."
                )
            else:
                found[name] = path
    if left_out:
        warnings.warn(
            f"{folder}: left out {len(left_out)} file(s) that do not end in {suffix!r}: "
            f"{shorten_list(sorted(left_out))}. Set the dataset's suffix to take them",
            stacklevel=2,
        )
    return sorted(found)


def samples_by_name(
    names: Iterable[str], folders: Mapping[str, str], suffixes: Mapping[str, str]
) -> list[dict[str, str]]:
    """Paths of samples whose files share a name and differ in folder and suffix.

    A suffix stands for any letter case in which such a file exists.
    """

    @functools.cache
    def spelled(folder: str, suffix: str) -> dict[str, str]:
        # One listing per folder: a look-up per file takes minutes on network disks.
        files = os.listdir(folder) if os.path.isdir(folder) else []
        lower = suffix.lower()
        ending = [file for file in files if file.lower().endswith(lower)]
        return {file[: len(file) - len(suffix)] + lower: file for file in sorted(ending)}

    def path(folder: str, name: str, suffix: str) -> str:
        parent, stem = os.path.split(os.path.join(folder, name))
        file = spelled(parent or ".", suffix).get(stem + suffix.lower(), stem + suffix)
        return os.path.join(parent, file)

    return [
        {key: path(folder, name, suffixes[key]) for key, folder in folders.items()}
        for name in names
    ]


def distinct_names(names: Iterable[str]) -> list[str]:
    """Keep apart names that are there several times, such as ``a_b`` of ``a/b`` and ``a_b``."""
    names = list(names)
    taken, repeated = set(names), Counter[str]()
    distinct = []
    for name in names:
        repeated[name] += 1
        other = name
        while repeated[name] > 1 and other in taken:
            other = f"{name}~{repeated[name]}"
            repeated[name] += other in taken
        taken.add(other)
        distinct.append(other)
    return distinct


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
            if sample.get(key) and name not in names_in(folder or "."):
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
    surplus = set(list_names(sar, suffixes["sar_path"], suffixes.values())) - set(names)
    return [
        f"SAR image {os.path.join(sar, name + suffixes['sar_path'])} without its optical image "
        f"{os.path.join(optical, name + suffixes['img_path'])}"
        for name in sorted(surplus)
    ]
