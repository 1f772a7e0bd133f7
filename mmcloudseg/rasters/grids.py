"""The pixel-centre rule between grids of different pixel size.

Pixel ``i`` of a grid of ``n_dst`` pixels takes the pixel of a grid of ``n_src`` pixels over the
same ground that holds its centre: ``floor((i + 0.5) * n_src / n_dst)``. It equals GDAL's nearest
and torch's ``nearest-exact``. Taking a coarse grid to a finer one and back by this rule returns
every value unchanged; OpenCV's and torch's plain nearest do not.
"""

from __future__ import annotations

import numpy as np

INTEGER_TOLERANCE = 1e-6


def pixel_centre_index(n_src: int, n_dst: int) -> np.ndarray:
    """Source pixel of each destination pixel along one axis.

    Args:
        n_src: Pixels of the source grid.
        n_dst: Pixels of the destination grid.

    Returns:
        Integer array of shape (n_dst,) with values in ``[0, n_src)``.
    """
    # Integer arithmetic: the float formula may round down at exact multiples.
    return (2 * np.arange(n_dst) + 1) * n_src // (2 * n_dst)


def resample(array: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Bring a map onto another grid over the same ground by the pixel-centre rule.

    Args:
        array: H x W, or H x W x C.
        shape: Rows and columns wanted.

    Returns:
        The map with ``shape`` as its first two axes.
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
