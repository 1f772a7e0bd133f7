"""Values of images and maps."""

import numpy as np
import pytest
from rasterio.windows import Window

from mmcloudseg.rasters.images import ImageRules
from mmcloudseg.rasters.reading import open_raster
from mmcloudseg.rasters.values import open_map, read_filled
from mmcloudseg.utils.errors import DataError


@pytest.fixture
def read(write_raster):
    """Write a raster and read it back, whole or a window of it."""

    def write_and_read(pixels, window=None, zero_is_data=False, **profile):
        path = write_raster("image.tif", pixels, **profile)
        window = window or Window(0, 0, pixels.shape[-1], pixels.shape[-2])
        bands = range(1, len(pixels) + 1)
        with open_raster(path) as source:
            rules = ImageRules("optical" if zero_is_data else "sar", bands=bands)
            return read_filled(rules.open(source), window)

    return write_and_read


@pytest.fixture
def backscatter():
    return np.arange(2 * 6 * 8, dtype=np.float64).reshape(2, 6, 8) / 7 - 20


def test_reads_float32(read, backscatter):
    values, missing = read(backscatter)
    assert values.dtype == np.float32 and not missing.any()
    assert (values == backscatter.astype(np.float32)).all()


def test_nan_becomes_the_mean_of_its_own_band(read, backscatter):
    backscatter[1, 2, 3] = np.nan
    values, missing = read(backscatter)
    expected = np.nanmean(backscatter[1].astype(np.float32), dtype=np.float64)
    assert values[1, 2, 3] == np.float32(expected)
    assert np.argwhere(missing).tolist() == [[1, 2, 3]]
    backscatter[1, 2, 3] = values[1, 2, 3]
    assert (values == backscatter.astype(np.float32)).all()


@pytest.mark.parametrize("kind", ["nan", "mask", "alpha"])
def test_a_window_is_filled_with_the_mean_of_the_whole_band(read, backscatter, kind):
    covered = np.ones((6, 8), bool)
    covered[0, :2] = False
    profile = {kind: covered} if kind != "nan" else {}
    if kind == "nan":
        backscatter[0, ~covered] = np.nan
    whole, _ = read(backscatter, **profile)
    part, missing = read(backscatter, Window(0, 0, 3, 2), **profile)
    assert (part == whole[:, :2, :3]).all()
    assert (missing[0] == ~covered[:2, :3]).all()
    assert whole[0, 0, 0] == pytest.approx(backscatter[0, covered].mean(), abs=1e-5)


def test_declared_nodata_is_filled(read, backscatter):
    backscatter[0, 1, 1] = -9999
    values, _ = read(backscatter, nodata=-9999)
    others = np.delete(backscatter[0].ravel(), 1 * 8 + 1)
    assert values[0, 1, 1] == pytest.approx(others.mean(), abs=1e-5)


@pytest.mark.parametrize(("nodata", "zero_is_data", "expected"), [
    (0, True, 0), (0, False, 700), (65535, True, 700)
])  # fmt: skip
def test_zero_of_an_optical_image_stays(read, nodata, zero_is_data, expected):
    pixels = np.full((1, 4, 4), 700, dtype=np.uint16)
    pixels[0, 1, 2] = nodata
    values, missing = read(pixels, zero_is_data=zero_is_data, nodata=nodata)
    assert values[0, 1, 2] == expected and missing[0, 1, 2] and missing.sum() == 1


def test_infinite_values_do_not_spoil_the_mean(read, backscatter):
    backscatter[0, 0, 0], backscatter[0, 0, 1] = np.nan, -np.inf
    values, _ = read(backscatter)
    assert np.isfinite(values[0, 0, 0]) and values[0, 0, 1] == -np.inf


def test_a_band_without_any_value_is_an_error(read, backscatter):
    backscatter[1] = np.nan
    with pytest.raises(DataError, match=r"image\.tif: band 2 has no valid pixel.*Replace"):
        read(backscatter)


def test_map_of_a_raster(write_raster):
    codes = np.arange(12, dtype=np.float32).reshape(3, 4)
    codes[0, 1] = np.nan
    covered = np.ones((3, 4), bool)
    covered[2, 2] = False
    with open_map(write_raster("label.tif", codes, nodata=7, mask=covered)) as source:
        assert source.shape == (3, 4) and source.nodata == 7
        values, missing = source.read()
        assert np.argwhere(missing).tolist() == [[0, 1], [2, 2]]
        _, missing = source.read(nodata=7)
        assert np.argwhere(missing).tolist() == [[0, 1], [1, 3], [2, 2]]
        values, missing = source.read(Window(1, 1, 3, 2))
    assert values.dtype == np.float32 and (values == codes[1:, 1:]).all()
    assert np.argwhere(missing).tolist() == [[1, 1]]


def test_map_of_an_array(tmp_path):
    mask = np.arange(12).reshape(3, 4) % 5 == 0
    np.save(tmp_path / "mask.npy", mask)
    with open_map(str(tmp_path / "mask.npy")) as source:
        assert source.shape == (3, 4) and source.nodata is None
        values, missing = source.read(Window(1, 0, 2, 3))
        assert (source.read()[0] == mask).all()
    assert (values == mask[:, 1:3]).all() and not missing.any()
