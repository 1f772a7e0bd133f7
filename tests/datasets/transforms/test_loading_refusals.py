"""Files and settings that LoadRasters refuses."""

import numpy as np
import pytest

from mmcloudseg.datasets import LoadRasters
from mmcloudseg.utils.errors import DataError


def test_missing_modality(sample):
    info = sample()
    path = info["img_path"]
    del info["cloud_free_path"]
    with pytest.raises(DataError, match=r"cloudy_fall_1_p_7\.tif: .*'cloud_free'.*leave") as error:
        LoadRasters()(info)
    assert path in str(error.value)


def test_band_without_data(sample, edit_raster):
    info = sample()
    edit_raster(info["sar_path"], lambda array: array * np.nan)
    with pytest.warns(UserWarning, match=r"S1_fall_1_p_7\.tif.*allow_missing=\['sar'\]"):
        loaded = LoadRasters()(dict(info))
    assert np.isnan(loaded["img"][..., 4:6]).all() and loaded["modalities"] == "optical"


def test_unknown_label_code(sample, edit_raster):
    info = sample()

    def spoil(array):
        array[0, 3, 3] = 33
        return array

    edit_raster(info["seg_map_path"], spoil)
    with pytest.raises(
        DataError, match=r"landcover_fall_1_p_7\.tif: unknown label code 33; .*label_codes"
    ):
        LoadRasters()(dict(info))


@pytest.mark.parametrize(
    ("key", "expected"),
    [("sar_path", "12 x 12"), ("seg_map_path", "12 x 12"), ("cloud_free_path", "40 x 40")],
)
def test_size(sample, edit_raster, key, expected):
    info = sample()
    edit_raster(info[key], lambda array: array[:, 2:])
    with pytest.raises(DataError, match=rf"\.tif: has .* pixels, expected {expected}.*Cut both"):
        LoadRasters()(dict(info))


def test_size_of_the_mask(sample):
    info = sample()
    np.save(info["cloud_mask_path"], np.zeros((12, 12), bool))
    with pytest.raises(
        DataError, match=r"cloudmask_fall_1_p_7\.npy: has 12 x 12 pixels, expected 40.*Cut both"
    ):
        LoadRasters()(dict(info))


@pytest.mark.parametrize(
    ("key", "bands"), [("img_path", 4), ("cloud_free_path", 4), ("sar_path", 2)]
)
def test_band_count(sample, edit_raster, key, bands):
    info = sample()
    edit_raster(info[key], lambda array: array[:1])
    with pytest.raises(DataError, match=rf"\.tif: has 1 bands, expected {bands}\. Correct"):
        LoadRasters()(dict(info))
    with pytest.raises(DataError, match=r"\.tif: .*1 to \d, LoadRasters\(bands=…\) .*\[5\]"):
        LoadRasters(bands=dict(optical=[5], cloud_free=[5], sar=[5]))({**sample(seed=1)})


@pytest.mark.parametrize("key", ["img_path", "sar_path", "cloud_free_path", "seg_map_path"])
def test_damaged_file(sample, key):
    info = sample()
    with open(info[key], "rb+") as file:
        file.truncate(60)
    with pytest.raises(
        DataError, match=r"\.tif: cannot be read.*copy or download it again"
    ) as error:
        LoadRasters()(dict(info))
    assert info[key] in str(error.value)


def test_window_outside(sample):
    with pytest.raises(DataError, match=r"crop_window \(30, 0, 20, 20\).*.*40 x 40 .*inside"):
        LoadRasters()({**sample(), "crop_window": (30, 0, 20, 20)})
