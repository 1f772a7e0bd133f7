"""Lists of samples: from CSV files, from lists of names, from folders."""

from __future__ import annotations

import csv
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
    """Read a CSV list of samples, one per row.

    Args:
        path: The list.
        columns: The path keys of its columns, in order; None if the first row names them.
        folders: Path key -> folder that its column's paths are relative to.
        default_folder: The folder for keys that are not in ``folders``.

    Returns:
        Path key -> path, for each sample.

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
    wrong = [
        f"row {number}: {len(row)} columns" for number, row in rows if len(row) != len(columns)
    ]
    if wrong:
        raise DataError.from_problems(
            f"{path}: rows that do not have {len(columns)} columns",
            wrong,
            f"Each row lists {', '.join(columns)}.",
        )
    return [
        {
            key: os.path.join(folders.get(key, default_folder), value.strip())
            for key, value in zip(columns, row, strict=True)
        }
        for _, row in rows
    ]


def read_names(path: str) -> list[str]:
    """Read a list of names, one a line; empty lines do not count."""
    with open(path, encoding="utf-8-sig") as file:
        return [line.strip() for line in file if line.strip()]


def list_names(folder: str, suffix: str) -> list[str]:
    """Names of the files below a folder that end in ``suffix``, without it, sorted.

    Returns:
        Paths relative to ``folder``, with forward slashes.
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
    """Find files that are not there.

    Args:
        samples: Path key -> path, for each sample; other keys are passed over.

    Returns:
        One line for each missing file, naming the optical image that it belongs to.
    """
    folders: dict[str, set[str]] = {}

    def exists(path: str) -> bool:
        # One listing per folder: a look-up per file takes minutes on network disks.
        parent, name = os.path.split(path)
        if parent not in folders:
            folders[parent] = set(os.listdir(parent or ".")) if _is_folder(parent) else set()
        return name in folders[parent]

    problems = []
    for sample in samples:
        for key, noun in MODALITY_NAMES.items():
            if key not in sample or exists(sample[key]):
                continue
            line = f"{noun} {sample[key]}"
            problems.append(line if key == "img_path" else f"{line} of {sample['img_path']}")
    return problems


def unpaired_sar(
    names: Iterable[str], folders: Mapping[str, str], suffixes: Mapping[str, str]
) -> list[str]:
    """SAR files in a folder that belong to no sample.

    Args:
        names: The optical images' names.
        folders: Path key -> folder.
        suffixes: Path key -> suffix of its files.

    Returns:
        One line for each, naming the optical image that was expected.
    """
    optical, sar = folders["img_path"], folders.get("sar_path")
    if sar is None or sar == optical:
        return []
    surplus = set(list_names(sar, suffixes["sar_path"])) - set(names)
    return [
        f"SAR image {os.path.join(sar, name + suffixes['sar_path'])} without its optical image "
        f"{os.path.join(optical, name + suffixes['img_path'])}"
        for name in sorted(surplus)
    ]


def _is_folder(path: str) -> bool:
    return os.path.isdir(path or ".")
