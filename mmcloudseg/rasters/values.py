"""Values of images, with what is missing filled in, and of maps such as labels and cloud masks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import rasterio
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from mmcloudseg.rasters.alignment import warped_view
from mmcloudseg.rasters.grids import RasterGrid
from mmcloudseg.rasters.images import BandReader
from mmcloudseg.rasters.nodata import Nodata
from mmcloudseg.rasters.reading import RasterHeader, load_array, open_raster
from mmcloudseg.rasters.sampling import NoValidPixelError, finite_mean, valid_values
from mmcloudseg.utils.errors import DataError


def read_filled(reader: BandReader, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Read a window, pixels without data filled with the mean of their band.

    The mean is that of the whole band, whatever the window, so that a crop has the values of the
    whole image.

    Returns:
        Values (float32) and which of them were missing, both bands x rows x columns.

    Raises:
        NoValidPixelError: The image holds no data at all.
        DataError: A band that needs filling holds none.
    """
    values, missing, replaced = reader.read(window)
    incomplete = np.flatnonzero(replaced.any(axis=(1, 2))).tolist()
    if incomplete:
        whole = Window(0, 0, reader.source.width, reader.source.height)
        # All bands: whether 0 is nodata may depend on the other bands.
        valid = valid_values(reader, [whole])
        empty = [not np.isfinite(values).any() for values in valid]
        for position in incomplete:
            if empty[position]:
                raise (NoValidPixelError if all(empty) else DataError)(
                    f"{reader.path}: band {reader.bands[position]} has no valid pixel (only "
                    f"{reader.nodata}), so nothing can be filled in. Replace the file, take its "
                    "sample off the list, or set the dataset's allow_missing if such a modality "
                    "may be missing."
                )
            values[position][replaced[position]] = finite_mean(valid[position])
    return values, missing


@dataclass(frozen=True)
class MapReader:
    """An open map of one band, with the nodata value that it declares.

    Its source is a raster, or the array of a ``.npy`` file.
    """

    header: RasterHeader
    nodata: float | None
    source: rasterio.DatasetReader | WarpedVRT | np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.header.shape

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
        kind = str(getattr(self.source, "dtypes", [getattr(self.source, "dtype", "")])[0])
        if not kind.startswith(("uint", "int", "float", "bool")):
            raise DataError(
                f"{self.header.path}: values are {kind}, expected codes. Name a map of codes, not "
                "an image."
            )
        if isinstance(self.source, np.ndarray):
            values = self.source[window.toslices()]
            return values, Nodata(nodata).missing(values)
        rule = dataclasses.replace(Nodata.of(self.source, [1]), value=nodata)
        values, missing = rule.read(self.source, window, [1])
        return values[0], missing[0]


@contextmanager
def open_map(path: str, grid: RasterGrid | None = None) -> Iterator[MapReader]:
    """Open a map of one band, a raster or a ``.npy`` file; a failure to do so is a DataError.

    Args:
        path: The file.
        grid: Where to warp a raster to, by nearest neighbour; None leaves it on its own grid.
    """
    if path.endswith(".npy"):
        array = load_array(path, mmap=True)
        yield MapReader(RasterHeader(path, 1, array.shape), None, array)
        return
    with open_raster(path) as source:
        header = RasterHeader.of(source)
        if grid is None or header.grid is None or header.grid == grid:
            yield MapReader(header, source.nodata, source)
            return
        # A declared nodata value may be a class: what it means is decided when it is read.
        with warped_view(source, grid, Nodata(), "nearest") as warped:
            yield MapReader(dataclasses.replace(header, shape=grid.shape), source.nodata, warped)
