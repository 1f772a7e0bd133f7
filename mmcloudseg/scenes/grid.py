"""The grids of a scene: that of its optical image, and that of its label map."""

from __future__ import annotations

import math
from dataclasses import dataclass

import rasterio
from affine import Affine
from rasterio.crs import CRS

from mmcloudseg.rasters.grids import INTEGER_TOLERANCE


@dataclass(frozen=True)
class SceneGrid:
    """Pixels on the ground.

    Attributes:
        crs: Coordinate reference system.
        transform: From column and row to coordinates.
        height: Rows.
        width: Columns.
    """

    crs: CRS
    transform: Affine
    height: int
    width: int

    @classmethod
    def of(cls, source: rasterio.DatasetReader) -> SceneGrid:
        """The grid of an open raster."""
        return cls(source.crs, source.transform, source.height, source.width)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height, self.width

    def scaled(self, scale: float) -> SceneGrid:
        """The grid with the same corner and ``scale`` pixels for each pixel of this one.

        The pixel size is exact. Where the ground is no whole number of pixels, the last row and
        column reach beyond it, so that all ground is covered.
        """
        height, width = (
            max(math.ceil(pixels * scale - INTEGER_TOLERANCE), 1) for pixels in self.shape
        )
        if scale == 1:
            return self
        return SceneGrid(self.crs, self.transform * Affine.scale(1 / scale), height, width)
