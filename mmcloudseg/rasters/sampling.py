"""What a raster's values are like, from evenly spaced parts of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import rasterio
from rasterio.windows import Window

from mmcloudseg.rasters.nodata import Nodata
from mmcloudseg.utils.errors import DataError

_PARTS = 8  # along each axis
_PART_PIXELS = 64
_WHOLE_PIXELS = 1_000_000
"""Rasters up to this size are read whole: means are exact where that costs nothing."""


@dataclass(frozen=True)
class ValueSample:
    """Values of a raster's bands.

    Attributes:
        values: For each band its sampled values with data, float32.
        mean: For each band the mean of its finite values, what pixels without data are filled
            with; float32.
    """

    values: tuple[np.ndarray, ...]
    mean: np.ndarray


def valid_values(
    source: rasterio.DatasetReader, bands: Sequence[int], nodata: Nodata, windows: Iterable[Window]
) -> list[np.ndarray]:
    """Values with data in some windows of a raster: for each band a vector, float32."""
    found: list[list[np.ndarray]] = [[] for _ in bands]
    for window in windows:
        raw, missing = nodata.read(source, window, bands)
        for values, absent, kept in zip(raw.astype(np.float32), missing, found, strict=True):
            kept.append(values[~absent])
    return [np.concatenate(kept) for kept in found]


def finite_mean(values: np.ndarray) -> np.float32:
    """Mean of the finite values: decibels of a zero, -inf, are left to clipping."""
    return np.float32(values[np.isfinite(values)].mean(dtype=np.float64))


def sample_values(
    source: rasterio.DatasetReader, bands: Sequence[int], nodata: Nodata, name: str
) -> ValueSample:
    """Sample bands of a raster; if the parts show nothing, or one value only, all of it is read.

    ``name`` is what an error calls the image, such as ``a SAR image``.

    Raises:
        DataError: It holds no data, or one value only, and thus no image.
    """
    collected = valid_values(source, bands, nodata, _parts(source))
    if not _shows_an_image(collected):
        collected = _search(source, bands, nodata)
    bare = [band for band, values in zip(bands, collected, strict=True) if not len(values)]
    if bare:
        raise DataError(
            f"{source.name}: holds no data in band {', '.join(map(str, bare))}, only "
            f"{nodata}. Give {name} with data, or another --nodata."
        )
    if not _shows_an_image(collected):
        raise DataError(
            f"{source.name}: holds the one value {collected[0][0]:g}, no image. Give {name} that "
            "shows the ground."
        )
    return ValueSample(tuple(collected), np.array([finite_mean(values) for values in collected]))


def _parts(source: rasterio.DatasetReader) -> Iterator[Window]:
    if source.width * source.height <= _WHOLE_PIXELS:
        yield Window(0, 0, source.width, source.height)
        return
    height, width = (min(_PART_PIXELS, length) for length in source.shape)
    rows = np.linspace(0, source.height - height, _PARTS).astype(int).tolist()
    columns = np.linspace(0, source.width - width, _PARTS).astype(int).tolist()
    for row, column in itertools.product(rows, columns):
        yield Window(column, row, width, height)


def _search(
    source: rasterio.DatasetReader, bands: Sequence[int], nodata: Nodata
) -> list[np.ndarray]:
    """Go through all blocks until every band shows something; data may fill a corner only."""
    found = [np.empty(0, dtype=np.float32) for _ in bands]
    for _, window in source.block_windows(1):
        for index, values in enumerate(valid_values(source, bands, nodata, [window])):
            finite = values[np.isfinite(values)]
            # A few values are enough, and a scene of one value would fill the memory.
            room = _PART_PIXELS**2 - len(found[index])
            if len(finite) and (room > 0 or np.ptp(found[index]) == 0):
                found[index] = np.concatenate([found[index][-(_PART_PIXELS**2) :], finite])
        if _shows_an_image(found):
            break
    return found


def _shows_an_image(bands: list[np.ndarray]) -> bool:
    finite = [values[np.isfinite(values)] for values in bands]
    return all(len(values) for values in finite) and any(np.ptp(values) > 0 for values in finite)
