"""Whether two rasters can be what a model maps: known before anything is computed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from rasterio.warp import transform

from mmcloudseg.rasters.grids import RasterGrid
from mmcloudseg.rasters.reading import open_raster
from mmcloudseg.rasters.scene_raster import SceneRaster, check_reference
from mmcloudseg.utils.errors import DataError

_CLIPPED = 0.99
"""Share of values at or beyond the ends of the model's range that cannot be an accident."""
_POINTS = 64  # along each axis
_ALL = 0.999
_DARK = 0.01
"""Share of the range that the brightest values of an image reach at least."""


def sar_cover(optical: RasterGrid, path: str) -> float:
    """Share of the optical image's ground that a SAR image covers, by evenly spaced points.

    Raises:
        DataError: None of it, or it does not say where it lies.
    """
    with open_raster(path) as source:
        check_reference(source, "SAR")
        sar = RasterGrid.of(source)
    share = _share_inside(optical, sar)
    # A SAR image that is small beside the optical one may lie between its points.
    if share == 0 and _share_inside(sar, optical) == 0:
        raise DataError(
            f"{path}: does not overlap the optical image: it begins at {_corner(sar)}, the "
            f"optical image at {_corner(optical)}. Take the SAR image of the same ground, or "
            "correct its reference system."
        )
    if share < _ALL:
        warnings.warn(
            f"{path}: covers {share:.0%} of the optical image; elsewhere the map is made without "
            "SAR",
            stacklevel=2,
        )
    return share


def _share_inside(grid: RasterGrid, other: RasterGrid) -> float:
    """Which part of a grid's pixels, evenly spaced, lies in another grid."""
    rows, columns = np.meshgrid(
        *((np.arange(_POINTS) + 0.5) * length / _POINTS for length in grid.shape), indexing="ij"
    )
    east, north = grid.transform * (columns.ravel(), rows.ravel())
    east, north = transform(grid.crs, other.crs, east, north)
    across, down = ~other.transform * (np.array(east), np.array(north))
    # Points that the other system cannot show are infinite, and inside of nothing.
    inside = (across >= 0) & (across <= other.width) & (down >= 0) & (down <= other.height)
    return float(inside.mean())


def _corner(grid: RasterGrid) -> str:
    return f"({grid.transform.c:.6g}, {grid.transform.f:.6g}) in {grid.crs}"


def check_values(
    raster: SceneRaster, low: Sequence[float], high: Sequence[float], what: str
) -> None:
    """Refuse values that are in another unit than the model was trained with.

    Args:
        raster: The raster.
        low: The model's range, a number per band.
        high: The same.
        what: ``'optical'`` or ``'SAR'``.

    Raises:
        DataError: All bands lie at the ends of their ranges, or the whole image at its dark end.
    """
    clipped, bright = [], []
    for values, lowest, highest in zip(raster.sample.values, low, high, strict=True):
        clipped.append(np.mean((values <= lowest) | (values >= highest)))
        top = np.percentile(values[np.isfinite(values)], 99)
        bright.append((top - lowest) / (highest - lowest))
    everything = np.concatenate(raster.sample.values)
    found = f"{np.nanmin(everything):g} to {np.nanmax(everything):g}"
    expected = f"{min(low):g} to {max(high):g}"
    remedy = (
        "Is it linear instead of dB (10 log10), or are optical and SAR image swapped?"
        if what == "SAR"
        else "Is it reflectance from 0 to 1, or 8 bit, or are optical and SAR image swapped?"
    )
    # Some bands may be dark or saturated by nature; all of them are not.
    if min(clipped) > _CLIPPED or (what == "optical" and max(bright) < _DARK):
        raise DataError(
            f"{raster.path}: the {what} values are {found}, but the model was trained with "
            f"{expected}. {remedy} Convert the file to the model's unit."
        )
