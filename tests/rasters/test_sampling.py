from __future__ import annotations

import numpy as np
import pytest
import rasterio

from mmcloudseg.rasters.images import ImageRules
from mmcloudseg.rasters.sampling import sample_values
from mmcloudseg.utils.errors import DataError


def sample(path, nodata=None, zero_is_data=False, bands=(1,)):
    with rasterio.open(path) as source:
        rules = ImageRules("optical" if zero_is_data else "sar", nodata=nodata)
        return sample_values(rules.reader(source, bands), "an image")


def test_small_rasters_have_exact_means(write_raster):
    bands = np.random.default_rng(0).normal(5, 2, (2, 90, 80)).astype(np.float32)
    bands[0, 3, 4] = np.nan
    bands[1, 5, 6] = np.inf
    found = sample(write_raster("a.tif", bands), bands=(1, 2))
    np.testing.assert_allclose(found.mean[0], np.nanmean(bands[0]), rtol=1e-6)
    np.testing.assert_allclose(found.mean[1], bands[1][np.isfinite(bands[1])].mean(), rtol=1e-6)


def test_data_in_a_corner_that_no_part_touches_are_found(write_raster):
    bands = np.zeros((1, 1100, 1100), np.uint16)
    bands[0, 70:90, 70:90] = np.arange(400).reshape(20, 20) + 1
    path = write_raster("a.tif", bands, tiled=True, blockxsize=256, blockysize=256)
    assert sample(path, nodata=0).mean[0] == pytest.approx(200.5)


def test_one_other_value_is_an_image(write_raster):
    bands = np.full((1, 1100, 1100), 7, np.uint8)
    bands[0, 80, 80] = 9
    path = write_raster("a.tif", bands, tiled=True, blockxsize=256, blockysize=256)
    assert 7 <= sample(path).mean[0] < 7.1
    bands[0, 80, 80] = 7
    with pytest.raises(DataError, match=r"b\.tif: .* 7, .*shows the ground"):
        sample(write_raster("b.tif", bands))
