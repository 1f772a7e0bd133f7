"""Reading rasters: headers, windows, nodata.

Every file is opened and closed within one call, so that nothing open is carried over to the worker
processes of a data loader.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from mmcloudseg.utils.errors import DataError


@dataclass(frozen=True)
class RasterHeader:
    """What the header of a raster or of a ``.npy`` map says.

    Attributes:
        path: The file.
        count: Number of bands.
        shape: Rows and columns.
        crs: Coordinate reference system, None if there is none.
        transform: Geotransform, None if there is none.
    """

    path: str
    count: int
    shape: tuple[int, int]
    crs: CRS | None = None
    transform: Affine | None = None


@contextmanager
def raster_session() -> Iterator[None]:
    """One GDAL environment for many files, without a warning per file that has no CRS."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.Env():
            yield


def unreadable(path: str, cause: Exception) -> DataError:
    """The error for a file that is missing, damaged, incomplete or of another kind."""
    if not os.path.exists(path):
        return DataError(f"{path}: no such file. Restore it, or take its sample off the list.")
    return DataError(
        f"{path}: cannot be read ({os.path.getsize(path)} bytes; {cause}). The file is damaged, "
        "incomplete or not a raster: copy or download it again."
    )


@contextmanager
def open_raster(path: str) -> Iterator[rasterio.DatasetReader]:
    """Open a raster, turning every failure to open or read it into a :class:`DataError`."""
    try:
        with rasterio.open(path) as source:
            yield source
    except (RasterioError, OSError) as error:
        raise unreadable(path, error) from error


def load_array(path: str, mmap: bool = False) -> np.ndarray:
    """Load an H x W array from a ``.npy`` file; pickled objects are refused.

    Raises:
        DataError: If the file cannot be read, or the array is not a map.
    """
    try:
        array = np.load(path, mmap_mode="r" if mmap else None, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise unreadable(path, error) from error
    if not isinstance(array, np.ndarray) or array.ndim != 2:
        found = array.shape if isinstance(array, np.ndarray) else "an archive"
        raise DataError(f"{path}: expected an array of rows x columns, found {found}.")
    return array


def read_header(path: str, probe: bool = False) -> RasterHeader:
    """Read a file's header.

    Args:
        path: A raster, or a ``.npy`` map.
        probe: Also read the last pixel of the last band, which an incomplete copy lacks.

    Raises:
        DataError: If the file cannot be read.
    """
    if path.endswith(".npy"):
        return RasterHeader(path, 1, load_array(path, mmap=True).shape)
    with open_raster(path) as source:
        if probe:
            corner = Window(source.width - 1, source.height - 1, 1, 1)
            source.read(source.count, window=corner)
        transform = None if source.transform == Affine.identity() else source.transform
        return RasterHeader(path, source.count, source.shape, source.crs, transform)


def read_bands(
    source: rasterio.DatasetReader,
    window: Window,
    bands: Sequence[int],
    keep_zero: bool = False,
) -> np.ndarray:
    """Read a window as float32, pixels without data filled with their band's mean.

    NaN and the declared nodata value are without data. The mean is the whole band's, whatever the
    window, so that a crop sees the values that the whole image has.

    Args:
        source: An open raster.
        window: The part to read.
        bands: Band numbers, from 1.
        keep_zero: Leave a declared nodata value of 0 as it is. Optical images declare it, and dark
            water may well be 0.

    Returns:
        Array of shape (bands, rows, columns).

    Raises:
        DataError: If a band that needs filling holds no data at all.
    """
    nodata = None if keep_zero and source.nodata == 0 else source.nodata
    raw = source.read(list(bands), window=window)
    empty = _without_data(raw, nodata)
    values = raw.astype(np.float32)
    for position in np.flatnonzero(empty.any(axis=(1, 2))):
        values[position][empty[position]] = _band_mean(source, bands[position], nodata)
    return values


def _without_data(raw: np.ndarray, nodata: float | None) -> np.ndarray:
    empty = np.isnan(raw) if raw.dtype.kind == "f" else np.zeros(raw.shape, dtype=bool)
    if nodata is not None and not np.isnan(nodata):
        empty |= raw == nodata
    return empty


def _band_mean(source: rasterio.DatasetReader, band: int, nodata: float | None) -> np.float32:
    raw = source.read(band)
    # Infinite values (decibels of a zero) are left to clipping, and would spoil the mean.
    values = raw.astype(np.float32)[~_without_data(raw, nodata) & np.isfinite(raw)]
    if values.size == 0:
        raise DataError(
            f"{source.name}: band {band} has no valid pixel (only NaN or nodata), so nothing can "
            "be filled in. Replace the file, or take its sample off the list."
        )
    return np.float32(values.mean(dtype=np.float64))
