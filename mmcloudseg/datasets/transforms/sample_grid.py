"""The optical grid of a sample, the window that is read, and other rasters on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import rasterio
from rasterio.windows import Window

from mmcloudseg.rasters.alignment import grid_problem, ground_problem, warped_view
from mmcloudseg.rasters.grids import GridWindow, RasterGrid, scaled_shape
from mmcloudseg.rasters.images import BandReader
from mmcloudseg.rasters.reading import RasterHeader, read_header
from mmcloudseg.utils.errors import DataError


@dataclass(frozen=True)
class SampleGrid:
    """Where a sample's rasters are read.

    Attributes:
        header: Of the optical image.
        window: The part of its grid that is read.
        warp: The grid that other rasters are warped to; None if they have to lie on it already.
    """

    header: RasterHeader
    window: GridWindow
    warp: RasterGrid | None

    @classmethod
    def of(cls, results: Mapping) -> SampleGrid:
        """The grid of a sample's optical image.

        Raises:
            DataError: If ``crop_window`` does not lie in it, or it is to be warped to but has no
                georeference.
        """
        header = read_header(results["img_path"])
        window = GridWindow(header.shape, results.get("crop_window"))
        if not window.inside():
            raise DataError(
                f"{results['img_path']}: crop_window {results['crop_window']} (top, left, height, "
                f"width) does not lie in its {header.shape[0]} x {header.shape[1]} pixels. Choose "
                "a window inside."
            )
        warp = header.grid if results.get("align") == "warp" else None
        if results.get("align") == "warp" and (warp is None or warp.crs is None):
            raise DataError(
                f"{results['img_path']}: has no georeference, which align='warp' needs. Give it "
                "one with gdal_edit -a_srs … -a_ullr …, or leave align out."
            )
        return cls(header, window, warp)

    @property
    def window_shape(self) -> tuple[int, int]:
        """Rows and columns that are read."""
        return self.window.height, self.window.width

    def label_shape(self, scale: float) -> tuple[int, int]:
        """Rows and columns of the label grid in the window."""
        return scaled_shape(self.window_shape, scale)

    def label_grid(self, scale: float) -> RasterGrid | None:
        """The grid that labels are warped to, if they are."""
        return self.warp and self.warp.resized(scaled_shape(self.header.shape, min(scale, 1.0)))

    def on(self, shape: tuple[int, int]) -> tuple[Window, np.ndarray, np.ndarray]:
        """See :meth:`GridWindow.on`."""
        return self.window.on(shape)

    def check(self, other: RasterHeader, scale: float | None) -> None:
        """Raise a :class:`DataError` if a raster does not lie on the grid's ground.

        See :func:`grid_problem` and :func:`ground_problem`.
        """
        if self.warp is not None:
            return
        problem = grid_problem(self.header, other, scale) or ground_problem(self.header, other)
        if problem:
            raise DataError(f"{problem}.")

    @contextmanager
    def view(
        self,
        source: rasterio.DatasetReader,
        reader: BandReader,
        scale: float | None,
        resampling: str,
    ) -> Iterator[BandReader]:
        """Read an image on this ground: as it is, once checked, or warped.

        Raises:
            DataError: It does not lie on the grid, or has no georeference to warp it by.
        """
        if self.warp is None or RasterGrid.of(source) == self.warp:
            self.check(RasterHeader.of(source), scale)
            yield reader
            return
        if source.crs is None:
            raise DataError(
                f"{reader.path}: has no coordinate reference system, which align='warp' needs. "
                "Give it one with gdal_edit -a_srs …"
            )
        with warped_view(source, self.warp, reader.nodata, resampling) as warped:
            yield reader.on(warped)
