"""Datasets inside the wrappers of a config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def inner_datasets(config: Mapping[str, Any]) -> Iterator[Any]:
    """Unwrap ``ConcatDataset``, ``RepeatDataset``, ``ClassBalancedDataset``, … to any depth.

    Yields:
        The config of each dataset that reads samples itself; not a copy.
    """
    inner = config.get("datasets", config.get("dataset"))
    if inner is None:
        yield config
        return
    for child in inner if isinstance(inner, (list, tuple)) else [inner]:
        yield from inner_datasets(child)
