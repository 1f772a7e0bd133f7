"""Which pixels hold no data."""

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

from mmcloudseg.rasters.nodata import Nodata, alpha_bands


def test_dark_water_is_data_where_another_band_is_not_zero():
    raw = np.array([[[0, 0, 5]], [[0, 3, 6]]])
    optical, other = Nodata(0.0, zero_is_data=True), Nodata(0.0)
    hole = [[True, False, False]]
    assert optical.missing(raw).tolist() == [hole, hole]
    assert other.missing(raw)[0].tolist() == [[True, True, False]]
    # A hole stays black, as an undeclared one does.
    assert not optical.to_fill(raw, optical.missing(raw)).any()
    assert other.to_fill(raw, other.missing(raw)).tolist() == other.missing(raw).tolist()


def test_another_nodata_value_is_filled_in_optical_images_too():
    raw = np.array([[[7, 0, 5]], [[7, 7, 6]]])
    nodata = Nodata(7.0, zero_is_data=True)
    assert nodata.missing(raw).tolist() == [[[True, False, False]], [[True, True, False]]]
    assert nodata.to_fill(raw, nodata.missing(raw)).sum() == 3


@pytest.mark.parametrize("value", [None, float("nan"), -9999.0])
def test_nan_never_counts_as_data(value):
    raw = np.array([[[np.nan, 1.0, np.inf]]])
    assert Nodata(value).missing(raw).tolist() == [[[True, False, False]]]


@pytest.fixture
def covered():
    covered = np.ones((6, 8), bool)
    covered[1:3, 2:5] = False
    return covered


@pytest.mark.parametrize("kind", ["mask", "alpha"])
def test_mask_and_alpha_hold_for_all_bands(write_raster, covered, kind):
    bands = np.arange(96, dtype=np.uint16).reshape(2, 6, 8)
    path = write_raster("a.tif", bands, **{kind: covered})
    window = Window(1, 1, 6, 4)
    with rasterio.open(path) as source:
        raw, missing = Nodata.of(source, [1, 2]).read(source, window, [1, 2])
    assert raw.dtype == np.uint16 and (raw == bands[:, 1:5, 1:7]).all()
    assert (missing == ~covered[1:5, 1:7]).all() and missing.shape == (2, 4, 6)


def test_an_alpha_band_that_belongs_to_the_image_is_no_mask(write_raster, covered):
    path = write_raster("a.tif", np.ones((2, 6, 8), np.uint16), alpha=covered)
    with rasterio.open(path) as source:
        assert alpha_bands(source) == (3,)
        assert Nodata.of(source, [1, 2]).alpha == 3
        assert Nodata.of(source, [1, 2, 3]).alpha is None


def test_a_given_value_replaces_what_the_file_declares(write_raster, covered):
    masked = write_raster("a.tif", np.ones((1, 6, 8), np.uint16), mask=covered, nodata=5)
    with rasterio.open(masked) as source:
        assert Nodata.of(source, [1]) == Nodata(5.0, masked=True)
        assert Nodata.of(source, [1], value=3) == Nodata(3)
