"""Values of configs and data sets as plain Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch


def to_plain(value: Any) -> Any:
    """Copy a value with plain containers and scalars in place of all others.

    Args:
        value: Mappings (``ConfigDict`` too), lists, tuples, sets, NumPy arrays and scalars, paths,
            tensors and plain values, nested in any way.

    Returns:
        Dictionaries, lists, tuples, tensors, text, numbers, booleans and None. NumPy arrays become
        lists, anything unknown becomes its text.
    """
    if isinstance(value, Mapping):
        return {to_plain(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [to_plain(item) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, (set, frozenset)):
        return [to_plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return to_plain(value.tolist())
    if type(value) in (str, int, float, bool, bytes, type(None)):
        return value
    if isinstance(value, torch.Tensor):
        return value.detach().cpu()
    for kind in (bool, int, float):  # subclasses, such as an IntEnum
        if isinstance(value, kind):
            return kind(value)
    return str(value)
