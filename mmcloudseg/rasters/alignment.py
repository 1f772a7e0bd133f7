"""Whether rasters lie on the same ground, and views of them on another grid."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform

from mmcloudseg.rasters.grids import RasterGrid, scaled_shape
from mmcloudseg.rasters.nodata import Nodata
from mmcloudseg.rasters.reading import RasterHeader

_TURN_DEG = 360.0
_ALLOWED_PIXELS = 0.5
_ROUNDING = 1e-3
_POINTS = 64  # along each axis


def grid_problem(optical: RasterHeader, other: RasterHeader, scale: float | None) -> str | None:
    """Say why a raster's pixels cannot be those of the optical image's ground; None if they can.

    Args:
        optical: Header of the optical image.
        other: Header of the other raster.
        scale: Its pixels per optical pixel; None if any number of pixels will do where both are
            georeferenced, and the same number where they are not.
    """
    located = optical.grid is not None and other.grid is not None
    if scale is not None or not located:
        shape = scaled_shape(optical.shape, scale or 1.0)
        if tuple(other.shape) != shape:
            return _shape_problem(optical, other, scale or 1.0, shape)
    if optical.crs and other.crs and optical.crs != other.crs:
        return (
            f"{other.path}: is in {other.crs}, but {optical.path} in {optical.crs}. Set the "
            "dataset's align='warp', or warp the file with gdalwarp"
        )
    return None


def ground_problem(optical: RasterHeader, other: RasterHeader) -> str | None:
    """Say why a georeferenced raster does not lie on the optical image's ground; None if it does.

    Their four corners are compared: the same place, direction and extent, to half a pixel of the
    coarser grid. Longitudes may differ by whole turns.
    """
    if optical.grid is None or other.grid is None:
        return None
    here, there = optical.grid, whole_turns(other.grid, optical.grid)
    shifts = np.abs(np.array(_corners(here)) - np.array(_corners(there))).max(axis=0)
    allowed = _ALLOWED_PIXELS * np.maximum(_pixel_size(here), _pixel_size(there))
    if (shifts <= allowed * (1 + _ROUNDING)).all():
        return None
    return (
        f"{other.path}: its corners lie up to {shifts[0]:g} east-west and {shifts[1]:g} "
        f"north-south (map units) from those of {optical.path}; at most half a pixel of the "
        f"coarser grid, {allowed[0]:g} and {allowed[1]:g}, is allowed. Cut both to the same "
        "ground, or set the dataset's align='warp'"
    )


def _shape_problem(
    optical: RasterHeader, other: RasterHeader, scale: float, expected: tuple[int, int]
) -> str:
    rows, columns = (there / here for there, here in zip(other.shape, optical.shape, strict=True))
    advice = "Cut both to the same ground"
    if abs(rows - columns) < _ROUNDING:
        advice = (
            f"{advice}, or state that it has {rows:.6g} pixels per optical pixel by the dataset's "
            "label_scale, sar_scale or cloud_mask_scale"
        )
    return (
        f"{other.path}: has {other.shape[0]} x {other.shape[1]} pixels, expected {expected[0]} x "
        f"{expected[1]} ({scale:g} x those of {optical.path}). {advice}"
    )


def whole_turns(grid: RasterGrid, other: RasterGrid) -> RasterGrid:
    """A grid in degrees, turned by multiples of 360 so that it is as close to another as can be.

    Longitudes may be written from -180 to 180 or from 0 to 360. Other grids stay as they are.
    """
    if not (grid.crs and grid.crs.is_geographic and other.crs and other.crs.is_geographic):
        return grid
    middles = [g.at(g.width / 2, g.height / 2) for g in (other, grid)]
    turns = round((middles[0][0] - middles[1][0]) / _TURN_DEG)
    if not turns:
        return grid
    moved = Affine.translation(turns * _TURN_DEG, 0) * grid.transform
    return dataclasses.replace(grid, transform=moved)


def share_inside(grid: RasterGrid, other: RasterGrid) -> float:
    """Share of a grid's area, by evenly spaced points, that lies within another grid."""
    rows, columns = np.meshgrid(
        *((np.arange(_POINTS) + 0.5) * length / _POINTS for length in grid.shape), indexing="ij"
    )
    places = grid.at(columns.ravel(), rows.ravel())
    east, north = (np.array(values) for values in transform(grid.crs, other.crs, *places))
    if other.crs.is_geographic:
        # Longitudes may be written from -180 to 180 or from 0 to 360.
        middle = other.at(other.width / 2, other.height / 2)[0]
        east = east + _TURN_DEG * np.round((middle - east) / _TURN_DEG)
    back = ~other.transform
    across, down = RasterGrid(other.crs, back, 0, 0).at(east, north)
    # Points that the other reference system cannot represent are infinite, and thus outside.
    inside = (across >= 0) & (across <= other.width) & (down >= 0) & (down <= other.height)
    return float(inside.mean())


@contextmanager
def warped_view(
    source: rasterio.DatasetReader, grid: RasterGrid, nodata: Nodata, resampling: str
) -> Iterator[WarpedVRT]:
    """View a raster on another grid: float32, NaN outside of it and where it has no data.

    Args:
        source: The raster.
        grid: Where to.
        nodata: Which of its pixels hold no data.
        resampling: rasterio's name of the method, such as ``nearest``.
    """
    target = dict(crs=grid.crs, transform=grid.transform, width=grid.width, height=grid.height)
    turned = whole_turns(RasterGrid.of(source), grid)
    if turned.transform != source.transform:
        target["src_transform"] = turned.transform
    # By default a pixel without data in one band only would keep that band's nodata value.
    empty = dict(src_nodata=nodata.value, nodata=np.nan, UNIFIED_SRC_NODATA="NO")
    kind = dict(resampling=Resampling[resampling], dtype="float32")
    with WarpedVRT(source, **target, **empty, **kind) as warped:
        yield warped


def _corners(grid: RasterGrid) -> list[tuple[float, float]]:
    places = ((0, 0), (grid.width, 0), (0, grid.height), (grid.width, grid.height))
    return [grid.at(*place) for place in places]


def _pixel_size(grid: RasterGrid) -> np.ndarray:
    t = grid.transform
    return np.array([abs(t.a) + abs(t.b), abs(t.d) + abs(t.e)])
