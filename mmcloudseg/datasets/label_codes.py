"""Codes of label rasters and the classes that they stand for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from mmcloudseg.utils.constants import IGNORE_INDEX
from mmcloudseg.utils.errors import DataError


def readable_codes(codes: Mapping[Any, Any]) -> dict[float, int]:
    """Read a config's ``label_codes``: code in the raster -> index of the class.

    Codes that are text, as keys of JSON and of ``--cfg-options`` are, become numbers. NaN is left
    out, because it is ignored in any case.

    Raises:
        ValueError: A code is no number, or there twice; a class is no index from 0 to 254, nor 255
            for "ignored".
    """
    legend: dict[float, int] = {}
    for code, index in codes.items():
        try:
            number = float(code)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"label_codes: expected numbers as codes, found {code!r}. Write the codes that "
                "the label files hold, such as {10: 0, 20: 1}."
            ) from error
        if math.isnan(number):
            if index != IGNORE_INDEX:
                raise ValueError(
                    f"label_codes: NaN stands for no class but is always ignored, found {index}"
                )
            continue
        if isinstance(index, bool) or int(index) != index or not 0 <= index <= IGNORE_INDEX:
            raise ValueError(
                f"label_codes: code {code!r} stands for {index!r}; expected the index of a class "
                f"from 0, or {IGNORE_INDEX} for codes to ignore"
            )
        key = int(number) if number.is_integer() else number
        if key in legend:
            raise ValueError(f"label_codes: the code {key} is there twice, once as {code!r}")
        legend[key] = int(index)
    return legend


def check_indices(codes: Mapping[float, int], classes: int) -> None:
    """Refuse a legend with indices beyond the classes.

    Raises:
        ValueError: An index is neither that of a class nor 255.
    """
    beyond = {code: i for code, i in codes.items() if i >= classes and i != IGNORE_INDEX}
    if beyond:
        raise ValueError(
            f"label_codes: {beyond} point beyond the {classes} classes of the metainfo, whose "
            f"indices are 0 to {classes - 1}; {IGNORE_INDEX} means ignored"
        )


def class_indices(codes: np.ndarray, legend: Mapping[float, int], path: str) -> np.ndarray:
    """Turn the codes of a label raster, of any shape, into class indices (uint8) by the legend.

    Raises:
        DataError: If a code is not in the legend; it names the label's ``path``.
    """
    found, inverse = np.unique(codes, return_inverse=True)
    unknown = [code for code in found.tolist() if code not in legend]
    if unknown:
        shown = ", ".join(f"{code:g}" for code in unknown[:10])
        more = f" and {len(unknown) - 10} more" if len(unknown) > 10 else ""
        raise DataError(
            f"{path}: unknown label code {shown}{more}; the legend has "
            f"{', '.join(map(str, legend))}. Correct the file, or add the code to the dataset's "
            f"label_codes ({IGNORE_INDEX} as its class means ignored)."
        )
    table = np.array([legend[code] for code in found.tolist()], dtype=np.uint8)
    return table[inverse].reshape(codes.shape)
