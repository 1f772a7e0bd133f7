"""What a raster's values are like, from evenly spaced parts of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import rasterio
from rasterio.windows import Window

from mmcloudseg.utils.errors import DataError

_PARTS = 8  # along each axis
_PART_PIXELS = 64
_WHOLE_PIXELS = 1_000_000
"""Rasters up to this size are read whole: means are exact where that costs nothing."""


@dataclass(frozen=True)
class Nodata:
    """Which pixels of a raster hold no data.

    Attributes:
        value: The declared value, None if there is none.
        masked: Whether the file has a mask.
        zero_is_data: Whether a band may hold 0 although 0 is declared nodata, as dark water does
            in optical images; only pixels that are 0 in every band are without data then.
        alpha: The band that is 0 where there are no data, None if there is none.
    """

    value: float | None
    masked: bool
    zero_is_data: bool
    alpha: int | None = None

    def of_bands(self, raw: np.ndarray) -> np.ndarray:
        """Which values are none: bands x rows x columns, bool."""
        empty = np.isnan(raw) if raw.dtype.kind == "f" else np.zeros(raw.shape, dtype=bool)
        if self.value is not None and not np.isnan(self.value):
            none = raw == self.value
            if self.zero_is_data and self.value == 0:
                none &= none.all(axis=0)
            empty |= none
        return empty


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


def read_raw(
    source: rasterio.DatasetReader, window: Window, bands: list[int], nodata: Nodata
) -> tuple[np.ndarray, np.ndarray]:
    """Read a window as float32.

    Returns:
        Values and which of them are none, both bands x rows x columns.
    """
    raw = source.read(bands, window=window)
    empty = nodata.of_bands(raw)
    if nodata.masked:
        empty |= source.dataset_mask(window=window) == 0
    if nodata.alpha is not None:
        empty |= source.read(nodata.alpha, window=window) == 0
    return raw.astype(np.float32), empty


def sample_values(
    source: rasterio.DatasetReader, bands: list[int], nodata: Nodata, name: str
) -> ValueSample:
    """Sample a raster; if the parts show nothing, or one value only, all of it is looked at.

    Args:
        source: The open raster.
        bands: Its bands to look at, from 1.
        nodata: Its values without data.
        name: What to call it in an error.

    Raises:
        DataError: It holds no data, or one value only, and thus no image.
    """
    collected = _collect(source, bands, nodata, _parts(source))
    if not _shows_an_image(collected):
        collected = _search(source, bands, nodata)
    if not all(len(values) for values in collected):
        bare = [band for band, values in zip(bands, collected, strict=True) if not len(values)]
        raise DataError(
            f"{source.name}: holds no data in band {', '.join(map(str, bare))}, only "
            f"{_what(nodata)}. Give {name} with data, or another --nodata."
        )
    if not _shows_an_image(collected):
        raise DataError(
            f"{source.name}: holds the one value {collected[0][0]:g}, no image. Give {name} that "
            "shows the ground."
        )
    means = [values[np.isfinite(values)].mean(dtype=np.float64) for values in collected]
    return ValueSample(tuple(collected), np.array(means, dtype=np.float32))


def _parts(source: rasterio.DatasetReader) -> Iterator[Window]:
    if source.width * source.height <= _WHOLE_PIXELS:
        yield Window(0, 0, source.width, source.height)
        return
    rows, columns = (
        np.linspace(0, max(length - _PART_PIXELS, 0), _PARTS).astype(int)
        for length in (source.height, source.width)
    )
    size = min(_PART_PIXELS, source.height), min(_PART_PIXELS, source.width)
    for row, column in itertools.product(rows.tolist(), columns.tolist()):
        yield Window(column, row, size[1], size[0])


def _collect(
    source: rasterio.DatasetReader, bands: list[int], nodata: Nodata, windows: Iterator[Window]
) -> list[np.ndarray]:
    found: list[list[np.ndarray]] = [[] for _ in bands]
    for window in windows:
        raw, empty = read_raw(source, window, bands, nodata)
        for values, none, kept in zip(raw, empty, found, strict=True):
            kept.append(values[~none])
    return [np.concatenate(kept) for kept in found]


def _search(source: rasterio.DatasetReader, bands: list[int], nodata: Nodata) -> list[np.ndarray]:
    """Go through all blocks until every band shows something; data may fill a corner only."""
    found = [np.empty(0, dtype=np.float32) for _ in bands]
    for _, window in source.block_windows(1):
        new = _collect(source, bands, nodata, iter([window]))
        for index, values in enumerate(new):
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


def _what(nodata: Nodata) -> str:
    if nodata.masked or nodata.alpha is not None:
        return "masked pixels"
    return "NaN" if nodata.value is None else f"NaN and nodata ({nodata.value:g})"
