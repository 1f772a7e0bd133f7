"""Opening rasters and reading their headers.

Every file is opened and closed within one call, so that nothing open is carried over to the worker
processes of a data loader.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from mmcloudseg.rasters.grids import RasterGrid
from mmcloudseg.rasters.nodata import alpha_bands
from mmcloudseg.utils.errors import DataError


@dataclass(frozen=True)
class RasterHeader:
    """What the header of a raster or of a ``.npy`` map says.

    Attributes:
        path: The file.
        count: Number of bands.
        shape: Rows and columns.
        crs: Coordinate reference system.
        transform: Geotransform.
        alpha: Numbers of the alpha bands, from 1.
    """

    path: str
    count: int
    shape: tuple[int, int]
    crs: CRS | None = None
    transform: Affine | None = None
    alpha: tuple[int, ...] = ()

    @classmethod
    def of(cls, source: rasterio.DatasetReader) -> RasterHeader:
        """The header of an open raster."""
        transform = None if source.transform == Affine.identity() else source.transform
        alpha = alpha_bands(source)
        return cls(source.name, source.count, source.shape, source.crs, transform, alpha)

    @property
    def grid(self) -> RasterGrid | None:
        """Its pixels on the ground; None without a geotransform."""
        if self.transform is None:
            return None
        return RasterGrid(self.crs, self.transform, *self.shape)

    def image_bands(self, expected: int | None) -> list[int]:
        """Numbers of the bands that belong to the image, from 1.

        GDAL takes the fourth of four 8-bit bands for an alpha band, which may be near infrared:
        alpha bands are left out only where the file has another number of bands than expected.
        """
        left_out = () if self.count == expected else self.alpha
        return [band for band in range(1, self.count + 1) if band not in left_out]


@contextmanager
def raster_session() -> Iterator[None]:
    """One GDAL environment for many files, without a warning per file that has no CRS."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.Env():
            yield


@contextmanager
def raster_errors(path: str) -> Iterator[None]:
    """Turn every failure to open or read a file into a :class:`DataError` that names it."""
    try:
        yield
    except (RasterioError, OSError) as error:
        raise _unreadable(path, error) from error


@contextmanager
def open_raster(path: str) -> Iterator[rasterio.DatasetReader]:
    """Open a raster; a failure to do so, or to read it within the block, is a DataError."""
    with raster_errors(path), rasterio.open(path) as source:
        yield source


def load_array(path: str, mmap: bool = False) -> np.ndarray:
    """Load an H x W array from a ``.npy`` file; pickled objects are refused.

    Raises:
        DataError: If the file cannot be read, or the array is not a map.
    """
    try:
        array = np.load(path, mmap_mode="r" if mmap else None, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _unreadable(path, error) from error
    if not isinstance(array, np.ndarray) or array.ndim != 2:
        found = array.shape if isinstance(array, np.ndarray) else "an archive"
        raise DataError(f"{path}: expected rows x columns, found {found}. Save one 2D array.")
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
            source.read(source.count, window=Window(source.width - 1, source.height - 1, 1, 1))
        return RasterHeader.of(source)


def _unreadable(path: str, cause: Exception) -> DataError:
    """The error for a file that is missing, damaged, incomplete or of another kind."""
    if path.startswith("/vsi") or "://" in path:
        return DataError(f"{path}: cannot be read ({cause}). Check the address and your access.")
    if not os.path.exists(path):
        return DataError(f"{path}: no such file. Restore it, or take its sample off the list.")
    return DataError(
        f"{path}: cannot be read ({os.path.getsize(path)} bytes; {cause}). The file is damaged, "
        "incomplete or not a raster: copy or download it again."
    )
