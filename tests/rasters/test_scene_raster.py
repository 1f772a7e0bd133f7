"""Rasters of a scene: read on the optical grid, and filled as in training."""

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS
from rasterio.windows import Window

from mmcloudseg.datasets import LoadRasters
from mmcloudseg.rasters.grids import RasterGrid
from mmcloudseg.rasters.images import ImageRules
from mmcloudseg.rasters.scene_raster import open_scene_raster


def reflectance(height, width):
    rng = np.random.default_rng(0)
    return rng.integers(1, 9000, (4, height, width)).astype(np.uint16)


def backscatter(height, width):
    rng = np.random.default_rng(1)
    return rng.uniform(-24, -1, (2, height, width)).astype(np.float32)


@pytest.mark.parametrize("resampling", ["nearest", "bilinear", "cubic", "average"])
def test_nodata_in_one_band_of_a_warped_sar_image_becomes_its_mean(write_raster, resampling):
    bands = backscatter(60, 60)
    bands[0, 10:40, 10:40] = -9999
    path = write_raster("s.tif", bands, pixel=10.0, nodata=-9999)
    grid = RasterGrid(CRS.from_epsg(32632), Affine(3, 0, 600_000, 0, -3, 5_400_000), 200, 200)
    with open_scene_raster(
        path, ImageRules("sar", count=2), grid=grid, resampling=resampling
    ) as raster:
        values, valid = raster.read(Window(0, 0, 200, 200))
        mean = raster.sample.mean[0]
    assert valid.all()
    assert np.allclose(values[0, 50:120, 50:120], mean)
    assert values.min() > -40
    assert values[1, 50:120, 50:120].std() > 1


def test_holes_are_filled_as_in_training(write_raster):
    """A hole of declared 0 in the optical image is black, as LoadRasters leaves it."""
    bands = reflectance(60, 60)
    bands[:, 5:9, 5:9] = 0
    path = write_raster("o.tif", bands, nodata=0)
    with open_scene_raster(path, ImageRules(count=4)) as raster:
        values, valid = raster.read(Window(0, 0, 70, 60))
    assert (values[:, :, :60] == bands).all()
    assert not valid[5:9, 5:9].any() and valid.sum() == 60 * 60 - 16
    assert np.allclose(values[:, :, 60:], raster.sample.mean[:, None, None])
    bands[:, 5:9, 5:9] = 7
    path = write_raster("p.tif", bands, nodata=7)
    with open_scene_raster(path, ImageRules(count=4)) as raster:
        values, _ = raster.read(Window(0, 0, 60, 60))
    assert np.allclose(values[:, 5:9, 5:9], raster.sample.mean[:, None, None])


@pytest.mark.parametrize("kind", ["nodata", "zero", "nan", "mask", "alpha"])
def test_training_and_scenes_read_the_same_values(write_raster, kind):
    """Whatever says where an image has no data."""
    bands, profile = reflectance(40, 50).astype(np.float32), {}
    hole = np.zeros((40, 50), bool)
    hole[5:20, 10:30] = True
    if kind in ("nodata", "zero", "nan"):
        bands[:, hole] = dict(nodata=-1, zero=0, nan=np.nan)[kind]
        bands[1, 3, 3] = bands[0, 6, 6]
        profile = dict(nodata=dict(nodata=-1, zero=0, nan=None)[kind])
    elif kind == "mask":
        profile = dict(mask=~hole)
    else:
        profile = dict(alpha=~hole)
    path = write_raster("o.tif", bands, **profile)
    results = dict(img_path=path, band_counts=dict(optical=4))
    trained = LoadRasters(modalities=("optical",))(results)["img"].transpose(2, 0, 1)
    with open_scene_raster(path, ImageRules(count=4)) as raster:
        values, valid = raster.read(Window(0, 0, 50, 40))
    np.testing.assert_array_equal(trained, values)
    assert (valid == ~hole).all()
    expected = 0 if kind == "zero" else bands[2][~hole].mean(dtype=np.float64)
    assert trained[2][hole] == pytest.approx(expected)
    np.testing.assert_array_equal(trained[2][~hole], bands[2][~hole])
