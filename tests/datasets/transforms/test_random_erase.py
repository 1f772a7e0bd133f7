"""Holes are no data, in the modalities asked for."""

from __future__ import annotations

import random

import numpy as np
import pytest

from mmcloudseg.datasets.transforms import RandomErase

LAYOUT = dict(optical=(0, 4), sar=(4, 6), cloud_free=(6, 10))


def loaded():
    rng = np.random.default_rng(0)
    return dict(
        img=rng.uniform(1, 9, (50, 40, 10)).astype(np.float32),
        band_layout=LAYOUT,
        gt_seg_map=np.ones((50, 40), np.uint8),
        gt_cloud_mask=np.zeros((50, 40), np.uint8),
        seg_fields=["gt_seg_map", "gt_cloud_mask"],
    )


@pytest.mark.parametrize("modalities", [("optical",), ("sar",), ("optical", "sar")])
def test_holes_go_through_these_bands_alone(modalities):
    random.seed(0)
    before = loaded()
    after = RandomErase(1.0, holes=(2, 2), modalities=modalities)(dict(before))
    gone = np.isnan(after["img"])
    bands = np.zeros(10, bool)
    for modality in modalities:
        bands[slice(*LAYOUT[modality])] = True
    assert not gone[..., ~bands].any()
    hole = gone[..., np.flatnonzero(bands)[0]]
    assert (gone[..., bands] == hole[..., None]).all()
    assert 0.01 < hole.mean() < 2 * 0.3**2
    np.testing.assert_array_equal(after["img"][~gone], before["img"][~gone])
    assert (after["gt_seg_map"] == 1).all() and (after["gt_cloud_mask"] == 0).all()
    assert not np.isnan(before["img"]).any()


def test_ignored_holes():
    after = RandomErase(1.0, ignore=True)(loaded())
    hole = np.isnan(after["img"][..., 0])
    for key in ("gt_seg_map", "gt_cloud_mask"):
        np.testing.assert_array_equal(after[key] == 255, hole)
        assert after[key].dtype == np.uint8


def test_number_and_size_of_holes():
    random.seed(0)
    one = RandomErase(1.0, holes=(1, 1), size=(0.2, 0.4))
    for _ in range(100):
        hole = np.isnan(one(loaded())["img"][..., 0])
        height, width = hole.any(1).sum(), hole.any(0).sum()
        assert hole.sum() == height * width
        assert 10 <= height <= 20 and 8 <= width <= 16
    drawn = [np.isnan(RandomErase(0.3)(loaded())["img"]).any() for _ in range(500)]
    assert np.mean(drawn) == pytest.approx(0.3, abs=0.06)
    assert np.isnan(RandomErase(1.0, (1, 1), (1.0, 1.0))(loaded())["img"][..., :4]).all()


def test_errors():
    with pytest.raises(ValueError, match=r"\['optical', 'sar'\], found \['cloud_free'\]"):
        RandomErase(modalities="cloud_free")
    with pytest.raises(ValueError, match=r"size=\(0\.5, 0\.1\)"):
        RandomErase(size=(0.5, 0.1))
    with pytest.raises(ValueError, match=r"'sar' .*\['optical'\]"):
        RandomErase(1.0, modalities=("sar",))(dict(loaded(), band_layout=dict(optical=(0, 4))))
