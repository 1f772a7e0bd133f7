"""Grids of pixels, and the pixel-centre rule between grids of different pixel size.

Pixel ``i`` of a grid of ``n_dst`` pixels takes the pixel of a grid of ``n_src`` pixels over the
same ground that holds its centre: ``floor((i + 0.5) * n_src / n_dst)``. It equals GDAL's nearest
and torch's ``nearest-exact``. Taking a coarse grid to a finer one and back by this rule returns
every value unchanged; OpenCV's and torch's plain nearest do not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.windows import Window

INTEGER_TOLERANCE = 1e-6


def pixel_centre_index(n_src: int, n_dst: int) -> np.ndarray:
    """Source pixel of each destination pixel along one axis: integers of shape (n_dst,)."""
    # Integer arithmetic: the float formula may round down at exact multiples.
    return (2 * np.arange(n_dst) + 1) * n_src // (2 * n_dst)


def resample(array: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Bring a map, H x W or H x W x C, onto another grid over the same ground.

    Args:
        array: The map.
        shape: Rows and columns wanted.
    """
    rows = pixel_centre_index(array.shape[0], shape[0])
    columns = pixel_centre_index(array.shape[1], shape[1])
    return array[rows[:, None], columns[None, :]]


def scaled_shape(shape: tuple[int, int], scale: float) -> tuple[int, int]:
    """Shape of a grid with ``scale`` pixels per pixel of the given one, to the nearest integer."""
    return max(round(shape[0] * scale), 1), max(round(shape[1] * scale), 1)


def is_whole(value: float) -> bool:
    """Whether a pixel count that came from a scale such as 0.3 is an integer."""
    return abs(value - round(value)) < INTEGER_TOLERANCE


@dataclass(frozen=True)
class RasterGrid:
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
    def of(cls, source: rasterio.DatasetReader) -> RasterGrid:
        """The grid of an open raster."""
        return cls(source.crs, source.transform, source.height, source.width)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height, self.width

    def at(self, column: Any, row: Any) -> tuple[Any, Any]:
        """Coordinates of a place in pixels; of many places, as arrays."""
        t = self.transform
        return t.c + column * t.a + row * t.b, t.f + column * t.d + row * t.e

    def resized(self, shape: tuple[int, int]) -> RasterGrid:
        """The grid over the same ground with another number of rows and columns."""
        rows, columns = shape
        transform = self.transform * Affine.scale(self.width / columns, self.height / rows)
        return RasterGrid(self.crs, transform, rows, columns)

    def scaled(self, scale: float) -> RasterGrid:
        """The grid with the same corner and ``scale`` pixels for each pixel of this one.

        The pixel size is exact. Where the ground is not a whole number of pixels, the last row
        and column reach beyond it, so that all of the ground is covered.
        """
        if scale == 1:
            return self
        rows, columns = (math.ceil(pixels * scale - INTEGER_TOLERANCE) for pixels in self.shape)
        transform = self.transform * Affine.scale(1 / scale)
        return RasterGrid(self.crs, transform, max(rows, 1), max(columns, 1))


class GridWindow:
    """A window of the optical grid, and where it lies in other grids over the same ground.

    The origins of the grids may differ by less than half a label pixel; the rule uses indices
    only.

    Args:
        shape: Rows and columns of the whole optical image.
        window: (top, left, height, width) in optical pixels; None means all of it.
    """

    def __init__(
        self, shape: tuple[int, int], window: tuple[int, int, int, int] | None = None
    ) -> None:
        self.shape = shape
        self.top, self.left, self.height, self.width = window or (0, 0, *shape)

    def inside(self) -> bool:
        """Whether the window lies in the image."""
        return (
            min(self.top, self.left) >= 0
            and self.top + self.height <= self.shape[0]
            and self.left + self.width <= self.shape[1]
        )

    def on(self, shape: tuple[int, int]) -> tuple[Window, np.ndarray, np.ndarray]:
        """Find the window in a grid of another shape.

        Returns:
            The part of that grid to read, and which of its rows and columns each optical row and
            column takes.
        """
        rows = pixel_centre_index(shape[0], self.shape[0])[self.top : self.top + self.height]
        columns = pixel_centre_index(shape[1], self.shape[1])[self.left : self.left + self.width]
        top, left = int(rows[0]), int(columns[0])
        window = Window(left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)
        return window, rows - top, columns - left
