"""The same ground, and views on another grid."""

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS

from mmcloudseg.rasters.alignment import grid_problem, ground_problem, warped_view, whole_turns
from mmcloudseg.rasters.grids import RasterGrid
from mmcloudseg.rasters.nodata import Nodata
from mmcloudseg.rasters.reading import RasterHeader, open_raster

UTM = CRS.from_epsg(32650)
LONLAT = CRS.from_epsg(4326)


def header(rows, columns, size=10.0, west=5e5, north=4e6, crs=UTM, down=-1):
    transform = Affine(size, 0, west, 0, down * size, north)
    return RasterHeader("x.tif", 1, (rows, columns), crs, transform)


OPTICAL = header(160, 160)


@pytest.mark.parametrize(
    "other",
    [
        header(80, 80, 20.0),
        header(160, 160, west=5e5 + 4.9),
        header(53, 53, 30.2, west=5e5 - 3),
    ],
)
def test_same_ground(other):
    assert ground_problem(OPTICAL, other) is None


@pytest.mark.parametrize(
    ("other", "numbers"),
    [
        (header(160, 160, 20.0), "1600 east-west and 1600"),
        (header(160, 160, down=1), "0 east-west and 3200"),
        (header(160, 160, west=5e5 + 5.1), "5.1 east-west and 0"),
        (header(80, 80, 20.0, north=4e6 + 12), "0 east-west and 12"),
    ],
)
def test_other_ground_is_told_in_numbers(other, numbers):
    assert numbers in ground_problem(OPTICAL, other)


def test_longitudes_may_differ_by_whole_turns():
    here = header(10, 10, 0.1, 179.5, 10.0, LONLAT)
    there = header(10, 10, 0.1, -180.5, 10.0, LONLAT)
    assert ground_problem(here, there) is None
    assert ground_problem(there, here) is None
    turned = whole_turns(there.grid, here.grid)
    assert turned.transform.c == pytest.approx(179.5)
    # UTM's eastings are metres: 360 of them are no turn.
    assert ground_problem(OPTICAL, header(160, 160, west=5e5 - 360)) is not None


def test_without_georeference_only_pixels_count():
    plain = RasterHeader("x.tif", 1, (160, 160))
    assert grid_problem(plain, RasterHeader("y.npy", 1, (160, 160)), None) is None
    assert ground_problem(plain, OPTICAL) is None
    problem = grid_problem(plain, RasterHeader("y.npy", 1, (80, 80)), None)
    assert "y.npy: has 80 x 80" in problem and "0.5 pixels" in problem and "sar_scale" in problem


def test_scales_are_compared_where_they_are_stated():
    assert grid_problem(OPTICAL, header(80, 80, 20.0), 0.5) is None
    assert grid_problem(OPTICAL, header(80, 80, 20.0), None) is None
    assert "expected 160 x 160" in grid_problem(OPTICAL, header(80, 80, 20.0), 1.0)


def test_reference_systems():
    other = header(160, 160, crs=CRS.from_epsg(32651))
    assert "EPSG:32651" in grid_problem(OPTICAL, other, None)


@pytest.mark.parametrize("west", [179.5, -180.5])
def test_warping_across_the_date_line(write_raster, west):
    pixels = np.arange(100, dtype=np.float32).reshape(1, 10, 10)
    transform = Affine(0.1, 0, west, 0, -0.1, 10)
    path = write_raster("a.tif", pixels, crs="EPSG:4326", transform=transform)
    grid = RasterGrid(LONLAT, Affine(0.1, 0, 179.7, 0, -0.1, 10), 10, 10)
    with open_raster(path) as source, warped_view(source, grid, Nodata(), "nearest") as view:
        seen = view.read(1)
    assert (seen[:, :8] == pixels[0, :, 2:]).all()
    assert np.isnan(seen[:, 8:]).all()
