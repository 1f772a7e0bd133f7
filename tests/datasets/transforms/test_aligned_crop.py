import random

import numpy as np
import pytest

from mmcloudseg.datasets import AlignedCenterCrop, AlignedRandomCrop, LoadRasters
from mmcloudseg.utils.errors import DataError

# Offsets that the paper's code draws with seed 911 (golden numbers, real/losses.json).
PAPER_OFFSETS = [(70, 60), (140, 110), (130, 60), (20, 20)]


def test_offsets_of_the_papers_code():
    random.seed(911)
    crop = AlignedRandomCrop(160)
    image = np.arange(300 * 300).reshape(300, 300, 1)
    drawn = []
    for _ in PAPER_OFFSETS:
        corner = crop(dict(img=image, label_scale=0.3))["img"][0, 0, 0]
        drawn.append(divmod(int(corner), 300))
    assert drawn == PAPER_OFFSETS


def test_offsets_stay_inside_and_reach_both_ends():
    random.seed(0)
    crop = AlignedRandomCrop((20, 30), step=10)
    image = np.arange(45 * 50).reshape(45, 50, 1)
    corners = set()
    for _ in range(200):
        results = crop(dict(img=image, label_scale=0.3))
        assert results["img"].shape == (20, 30, 1)
        corners.add(divmod(int(results["img"][0, 0, 0]), 50))
    assert corners == {(row, column) for row in (0, 10, 20) for column in (0, 10, 20)}


def test_centre_of_a_patch():
    assert AlignedCenterCrop(160)(dict(img=np.zeros((300, 300, 1))))["img"].shape == (160, 160, 1)
    image = np.arange(300)[:, None, None] * np.ones((1, 300, 1))
    rows = AlignedCenterCrop(160)(dict(img=image, label_scale=0.3))["img"][:, 0, 0]
    assert (rows == np.arange(70, 230)).all()


def test_centre_is_rounded_to_the_shared_grid():
    rows = np.arange(290)[:, None, None] * np.ones((1, 290, 1))
    assert AlignedCenterCrop(160)(dict(img=rows, label_scale=0.3))["img"][0, 0, 0] == 60


@pytest.mark.parametrize("crop", [AlignedRandomCrop((20, 10)), AlignedCenterCrop((20, 10))])
def test_before_and_after_loading_is_the_same(sample, crop):
    info = sample()
    random.seed(3)
    before = LoadRasters()(crop(dict(info)))
    random.seed(3)
    after = crop(LoadRasters()(dict(info)))
    for key in ("img", "gt_seg_map", "gt_cloud_mask"):
        assert (before[key] == after[key]).all(), key
    for key in ("img_shape", "ori_shape"):
        assert before[key] == after[key]
    assert before["img_shape"] == (20, 10) and before["ori_shape"] == (6, 3)
    assert len(before["crop_window"]) == 4


def test_before_loading_twice(sample):
    info = AlignedCenterCrop(20)(dict(sample()))
    assert info["crop_window"] == (10, 10, 20, 20)
    random.seed(1)
    inner = AlignedRandomCrop(10)(dict(info))["crop_window"]
    assert 10 <= inner[0] <= 20 and 10 <= inner[1] <= 20 and inner[2:] == (10, 10)


@pytest.mark.parametrize("loaded", [False, True])
def test_image_smaller_than_the_crop(sample, loaded):
    info = LoadRasters()(sample()) if loaded else sample()
    with pytest.raises(
        DataError, match=r"p_7\.tif: 40 x 40 pixels are too few.*50 x 50.*crop_size"
    ):
        AlignedRandomCrop(50)(info)


def test_crop_that_does_not_fit_the_label_grid():
    results = dict(img=np.zeros((300, 300, 1)), label_scale=0.3)
    with pytest.raises(
        ValueError, match=r"crop_size=165 optical pixels are 49\.5 .*label_scale=0\.3"
    ):
        AlignedRandomCrop(165)(results)
    with pytest.raises(ValueError, match=r"step=4 optical pixels are 1\.2 .*label_scale=0\.3"):
        AlignedRandomCrop(160, step=4)(results)
    with pytest.raises(ValueError, match=r"crop_size and step .*0 and 10"):
        AlignedRandomCrop(0)
