"""MMSeg's own geometric transforms between loading and packing."""

import numpy as np
import pytest
from mmseg.datasets.transforms import RandomCrop, RandomFlip, RandomRotate, Resize

from mmcloudseg.datasets import LoadRasters, M3MCRDataset, PackCloudSegInputs


@pytest.fixture
def marked():
    """A loaded sample whose ten bands, label and mask all show the same pattern."""
    pattern = np.zeros((60, 60), np.uint8)
    pattern[5:20, 30:50] = 1
    pattern[40:55, 10:15] = 1
    return dict(
        img=np.repeat(pattern[..., None], 10, axis=2).astype(np.float32),
        band_layout=dict(optical=(0, 4), sar=(4, 6), cloud_free=(6, 10)),
        gt_seg_map=pattern.copy(),
        gt_cloud_mask=pattern.copy(),
        seg_fields=["gt_seg_map", "gt_cloud_mask"],
        img_shape=(60, 60),
        label_scale=0.3,
    )


def assert_moved_together(results):
    mask = results["gt_cloud_mask"]
    assert (results["gt_seg_map"] == mask).all()
    inside = mask != 255
    for band in range(results["img"].shape[2]):
        # Interpolation of the bands blurs borders of the pattern, by a pixel at most.
        wrong = (results["img"][..., band] > 0.5) != (mask == 1)
        assert wrong[inside].mean() < 0.03, band
    assert (mask == 1).any() and (mask == 0).any()


@pytest.mark.parametrize("direction", ["horizontal", "vertical", "diagonal"])
def test_flip(marked, direction):
    original = marked["gt_seg_map"].copy()
    results = RandomFlip(prob=1.0, direction=direction)(marked)
    assert_moved_together(results)
    assert (results["gt_seg_map"] != original).any()
    assert (results["img"][..., 9] == results["gt_seg_map"]).all()
    meta = PackCloudSegInputs()(results)["data_samples"].metainfo
    assert meta["flip"] is True and meta["flip_direction"] == direction


def test_rotation_ignores_what_comes_from_outside(marked):
    original = marked["gt_seg_map"].copy()
    results = RandomRotate(prob=1.0, degree=(30.0, 30.0 + 1e-6), seg_pad_val=255)(marked)
    assert_moved_together(results)
    assert (results["gt_seg_map"] != original).any()
    assert results["gt_seg_map"][0, 0] == results["gt_cloud_mask"][0, 0] == 255
    packed = PackCloudSegInputs()(results)["data_samples"]
    assert packed.gt_sem_seg.data[0, 0, 0] == 255
    valid = results["gt_cloud_mask"][results["gt_cloud_mask"] != 255]
    assert packed.cloud_cover == valid.mean()


@pytest.mark.parametrize("scale", [(120, 120), (30, 30)])
def test_resize_takes_the_label_grid_along(marked, scale):
    results = Resize(scale=scale, keep_ratio=True)(marked)
    assert_moved_together(results)
    packed = PackCloudSegInputs()(results)
    expected = (round(scale[0] * 0.3), round(scale[1] * 0.3))
    assert packed["inputs"].shape == (6, *scale)
    assert packed["data_samples"].gt_sem_seg.data.shape == (1, *expected)
    assert packed["data_samples"].ori_shape == expected


def test_random_crop(marked):
    np.random.seed(1)
    results = RandomCrop(crop_size=(40, 40))(marked)
    assert_moved_together(results)
    packed = PackCloudSegInputs()(results)
    assert packed["data_samples"].gt_sem_seg.data.shape == (1, 12, 12)


def test_whole_pipeline_on_files(tmp_path, make_m3mcr_tree):
    root = make_m3mcr_tree(tmp_path, 1, 0, 0, size=100)
    pipeline = [
        dict(type="LoadRasters"),
        dict(type="RandomResize", scale=(100, 100), ratio_range=(0.9, 2.0), keep_ratio=True),
        dict(type="RandomCrop", crop_size=(80, 80), cat_max_ratio=0.75),
        dict(type="RandomFlip", prob=0.5),
        dict(
            type="Geometric", transforms=[dict(type="RandomRotate", prob=1.0, degree=(20.0, 20.0))]
        ),
        dict(type="PackCloudSegInputs"),
    ]
    dataset = M3MCRDataset("train.csv", str(root), dict(img_path="train"), pipeline=pipeline)
    for _ in range(5):
        packed = dataset[0]
        assert packed["inputs"].shape == (6, 80, 80)
        assert packed["data_samples"].gt_sem_seg.data.shape == (1, 24, 24)
        assert packed["data_samples"].gt_cloud_free.data.shape == (4, 80, 80)
        filled = packed["data_samples"].gt_cloud_mask.data == 255
        assert 0.05 < filled.float().mean() < 0.3
        assert (packed["inputs"].isnan() == filled).all()
    assert LoadRasters in {type(step) for step in dataset.pipeline.transforms}
