"""Values of images, with what is missing filled in, and of maps such as labels and cloud masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import rasterio
from rasterio.windows import Window

from mmcloudseg.rasters.nodata import Nodata
from mmcloudseg.rasters.reading import load_array, open_raster
from mmcloudseg.rasters.sampling import finite_mean, valid_values
from mmcloudseg.utils.errors import DataError


def read_bands(
    source: rasterio.DatasetReader, window: Window, bands: Sequence[int], nodata: Nodata
) -> tuple[np.ndarray, np.ndarray]:
    """Read a window as float32, pixels without data filled with the mean of their band.

    The mean is that of the whole band, whatever the window, so that a crop has the values of the
    whole image.

    Returns:
        Values and which of them were missing, both bands x rows x columns.

    Raises:
        DataError: A band that needs filling holds no data at all.
    """
    raw, missing = nodata.read(source, window, bands)
    values = raw.astype(np.float32)
    to_fill = nodata.to_fill(values, missing)
    incomplete = np.flatnonzero(to_fill.any(axis=(1, 2))).tolist()
    if incomplete:
        whole = Window(0, 0, source.width, source.height)
        # All bands: whether 0 is nodata may depend on the other bands.
        valid = valid_values(source, bands, nodata, [whole])
        for position in incomplete:
            if not np.isfinite(valid[position]).any():
                raise DataError(
                    f"{source.name}: band {bands[position]} has no valid pixel (only {nodata}), "
                    "so nothing can be filled in. Replace the file, or take its sample off the "
                    "list."
                )
            values[position][to_fill[position]] = finite_mean(valid[position])
    return values, missing


@dataclass(frozen=True)
class MapReader:
    """An open map of one band, with the nodata value that it declares.

    Its source is a raster, or the array of a ``.npy`` file.
    """

    shape: tuple[int, int]
    nodata: float | None
    source: rasterio.DatasetReader | np.ndarray

    def read(
        self, window: Window | None = None, nodata: float | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Read a window, or all of the map.

        Args:
            window: The part to read.
            nodata: A value that counts as missing, as do NaN and masked pixels. The declared one
                does not count by itself: some products declare a class or "clear" as nodata.

        Returns:
            Values in the file's type, and which are missing; both rows x columns.
        """
        window = window or Window(0, 0, self.shape[1], self.shape[0])
        if isinstance(self.source, np.ndarray):
            values = self.source[window.toslices()]
            return values, Nodata(nodata).missing(values)
        rule = replace(Nodata.of(self.source, [1]), value=nodata)
        values, missing = rule.read(self.source, window, [1])
        return values[0], missing[0]


@contextmanager
def open_map(path: str) -> Iterator[MapReader]:
    """Open a map of one band, a raster or a ``.npy`` file; a failure to do so is a DataError."""
    if path.endswith(".npy"):
        array = load_array(path, mmap=True)
        yield MapReader(array.shape, None, array)
        return
    with open_raster(path) as source:
        yield MapReader(source.shape, source.nodata, source)
