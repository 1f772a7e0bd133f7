"""Values of configs and data sets as plain Python."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Set
from enum import Enum
from typing import Any

import numpy as np
import torch

_PLAIN: tuple[Any, ...] = (str, int, float, complex, bool, bytes, type(None))
_LONGEST_BITS = 2000  # torch's safe reader takes whole numbers of up to 255 bytes


def to_plain(value: Any, within: tuple[int, ...] = ()) -> Any:
    """Copy a value with plain containers and scalars in place of all others.

    Args:
        value: Mappings (``ConfigDict`` too), lists, tuples, sets, ranges, enums, NumPy arrays and
            scalars, paths, tensors and plain values, nested in any way.
        within: Identities of the containers that the value is in.

    Returns:
        Dictionaries, lists, tuples, tensors, text, bytes, numbers, booleans and None. NumPy
        arrays, sets and ranges become lists, enums their values, classes and functions their
        dotted names. Anything unknown becomes its text, and so does a container inside itself.
    """
    if type(value) in _PLAIN:
        too_long = type(value) is int and value.bit_length() > _LONGEST_BITS
        return hex(value) if too_long else value
    if isinstance(value, Enum):
        return to_plain(value.value, within)
    if isinstance(value, torch.Tensor):
        return _from_tensor(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return _from_numpy(value, within)
    for kind in _PLAIN[:-1]:  # subclasses
        if isinstance(value, kind):
            return kind(value)
    if id(value) in within:
        return str(value)
    within = (*within, id(value))
    if isinstance(value, Mapping):
        return _from_mapping(value, within)
    if isinstance(value, (list, tuple, deque, range)):
        items = [to_plain(item, within) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, Set):  # sorted, because the order of a set changes between processes
        return sorted((to_plain(item, within) for item in value), key=repr)
    if isinstance(value, bytearray):
        return bytes(value)
    if hasattr(value, "__module__") and hasattr(value, "__qualname__"):  # as registries take it
        return f"{value.__module__}.{value.__qualname__}"
    return str(value)


def _from_tensor(value: torch.Tensor) -> Any:
    if value.is_meta:  # it has no numbers
        return str(value)
    value = value.detach().cpu()
    # The name of a subclass could not be read back.
    return value if type(value) is torch.Tensor else value.as_subclass(torch.Tensor)


def _from_numpy(value: np.ndarray | np.generic, within: tuple[int, ...]) -> Any:
    if isinstance(value, np.longdouble):  # which its own `item` leaves as it is
        return float(value)
    if isinstance(value, np.clongdouble):
        return complex(value)
    if value.dtype.kind in "mM":  # whose numbers say nothing without their unit
        value = np.asarray(value).astype(str)
    return to_plain(value.tolist(), within)


def _from_mapping(value: Mapping, within: tuple[int, ...]) -> dict:
    plain: dict = {}
    for key, item in value.items():
        name = to_plain(key, within)
        try:
            taken = name in plain
        except TypeError:  # a set became a list, which is no key
            taken = True
        plain[repr(key) if taken else name] = to_plain(item, within)
    return plain
