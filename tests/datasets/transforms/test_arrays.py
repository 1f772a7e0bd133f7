"""Arrays in the place of files, as MMSegmentation's ``inference_model`` hands them over."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmseg.registry import TRANSFORMS

from mmcloudseg.datasets import LoadRasters, PackCloudSegInputs
from mmcloudseg.utils.errors import DataError

ARRAY = np.arange(5 * 4 * 6, dtype=np.uint16).reshape(5, 4, 6)


def load(results, **settings):
    return TRANSFORMS.build(dict(type="LoadImageFromNDArray", **settings))(results)


@pytest.mark.parametrize("settings", [{}, dict(modalities=["optical"], with_mask=False)])
def test_an_array_is_what_the_model_sees(settings):
    packed = PackCloudSegInputs()(load(dict(img=ARRAY), **settings))
    assert packed["inputs"].dtype == torch.float32
    assert (packed["inputs"].numpy() == ARRAY.transpose(2, 0, 1)).all()
    sample = packed["data_samples"]
    assert sample.ori_shape == sample.img_shape == (5, 4)
    assert "gt_cloud_free" not in sample


def test_mmsegs_settings_are_kept():
    assert load(dict(img=ARRAY), to_float32=True)["img"].dtype == np.float32
    with pytest.raises(TypeError, match="by_hand"):
        load(dict(img=ARRAY), by_hand=True)


def test_one_band_without_an_axis():
    with pytest.raises(ValueError, match=r"\(5, 4\), expected H x W x bands.*optical and sar"):
        PackCloudSegInputs()(load(dict(img=ARRAY[..., 0])))


def test_a_path_ends_in_a_line_that_says_what_to_use(sample):
    info = sample()
    with pytest.raises(DataError, match=r"x\.tif: found a path.*ScenePredictor.*predict_scene"):
        load(dict(img_path="x.tif"))
    with pytest.raises(DataError, match=r"no sar_path.*ScenePredictor.*predict_scene"):
        LoadRasters()(dict(img_path=info["img_path"]))
