"""What data sets are called, in scores and in folders of results."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


def default_name(data_root: str | None, kind: str, depth: int = 1) -> str:
    """The last folders of a data root, or else the name of the dataset's class.

    A folder that is a number, such as a year or the size of tiles, says too little by itself.

    Args:
        data_root: The root.
        kind: Name of the class.
        depth: How many folders.
    """
    if not data_root:
        return kind
    parts = Path(os.path.abspath(data_root)).parts[1:]
    depth += bool(parts) and parts[-1].isdigit()
    return "_".join(parts[-depth:]) or kind


def checked_name(name: str) -> str:
    """A name that a config gives.

    Raises:
        ValueError: It is empty, or cannot be part of a score's key and of a folder's name.
    """
    if not isinstance(name, str) or not name.strip() or {"/", "\\"} & set(name):
        raise ValueError(
            f"dataset_name must be text without / or \\, because scores and folders are named "
            f"after it; found {name!r}"
        )
    return name


def built_datasets(dataset: Any) -> Iterator[Any]:
    """The datasets inside the built wrappers of ``ConcatDataset``, ``RepeatDataset``, …."""
    inner = getattr(dataset, "datasets", None) or getattr(dataset, "dataset", None)
    if inner is None:
        yield dataset
        return
    for child in inner if isinstance(inner, (list, tuple)) else [inner]:
        yield from built_datasets(child)


def dataset_names(dataset: Any) -> list[str]:
    """Names of the data sets that a built dataset joins, each once."""
    built = built_datasets(dataset)
    return list(dict.fromkeys(getattr(d, "dataset_name", type(d).__name__) for d in built))


def tell_apart(datasets: Sequence[Any]) -> None:
    """Name joined datasets of different roots differently, unless their configs name them.

    Roots that end alike, such as ``north/tiles`` and ``south/tiles``, are named after more of
    their folders: ``north_tiles`` and ``south_tiles``.
    """
    unnamed = [d for d in datasets if getattr(d, "name_is_derived", False)]
    roots = {os.path.abspath(d.data_root) for d in unnamed if d.data_root}
    deepest = max((len(Path(root).parts) for root in roots), default=1)
    for depth in itertools.count(1):
        if len({default_name(r, "", depth) for r in roots}) == len(roots) or depth > deepest:
            break
    for dataset in unnamed:
        dataset.dataset_name = default_name(dataset.data_root, type(dataset).__name__, depth)
