"""What a raster's values are like, from evenly spaced parts of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from rasterio.windows import Window

from mmcloudseg.rasters.images import BandReader
from mmcloudseg.utils.errors import DataError

_PARTS = 8  # along each axis
_PART_PIXELS = 64
_WHOLE_PIXELS = 1_000_000
"""Rasters up to this size are read whole: means are exact where that costs nothing."""


class NoValidPixelError(DataError):
    """An image that holds no data at all, in any band."""


class OneValueError(DataError):
    """An image that holds one value only."""


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


def valid_values(reader: BandReader, windows: Iterable[Window]) -> list[np.ndarray]:
    """Values with data in some windows of an image: for each band a vector, float32."""
    found: list[list[np.ndarray]] = [[] for _ in reader.bands]
    for window in windows:
        for values, absent, kept in zip(*reader.read(window)[:2], found, strict=True):
            kept.append(values[~absent])
    return [np.concatenate(kept) for kept in found]


def finite_mean(values: np.ndarray) -> np.float32:
    """Mean of the finite values: decibels of a zero, -inf, are left to clipping."""
    return np.float32(values[np.isfinite(values)].mean(dtype=np.float64))


def sample_values(reader: BandReader, name: str) -> ValueSample:
    """Sample an image; if the parts show nothing, or one value only, all of it is read.

    ``name`` is what an error calls the image, such as ``a SAR image``.

    Raises:
        DataError: It holds no data, or one value only, and thus no image.
    """
    collected = valid_values(reader, _parts(reader))
    if not _shows_an_image(collected):
        collected = _search(reader)
    bare = [band for band, values in zip(reader.bands, collected, strict=True) if not len(values)]
    if bare:
        kind = NoValidPixelError if len(bare) == len(reader.bands) else DataError
        unit = " (or the unit is not that of power)" if reader.conversion.log else ""
        raise kind(
            f"{reader.path}: holds no data in band {', '.join(map(str, bare))}, only "
            f"{reader.nodata}{unit}. Give {name} with data, or another --nodata."
        )
    if not _shows_an_image(collected):
        raise OneValueError(
            f"{reader.path}: holds the one value {collected[0][0]:g}, no image. Give {name} that "
            "shows the ground."
        )
    return ValueSample(tuple(collected), np.array([finite_mean(values) for values in collected]))


def _parts(reader: BandReader) -> Iterator[Window]:
    source = reader.source
    if source.width * source.height <= _WHOLE_PIXELS:
        yield Window(0, 0, source.width, source.height)
        return
    height, width = (min(_PART_PIXELS, length) for length in source.shape)
    rows = np.linspace(0, source.height - height, _PARTS).astype(int).tolist()
    columns = np.linspace(0, source.width - width, _PARTS).astype(int).tolist()
    for row, column in itertools.product(rows, columns):
        yield Window(column, row, width, height)


def _search(reader: BandReader) -> list[np.ndarray]:
    """Go through all blocks until every band shows something; data may fill a corner only."""
    found = [np.empty(0, dtype=np.float32) for _ in reader.bands]
    for _, window in reader.source.block_windows(1):
        for index, values in enumerate(valid_values(reader, [window])):
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
