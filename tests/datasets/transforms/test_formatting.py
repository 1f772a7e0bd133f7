import random

import numpy as np
import pytest
import rasterio
import torch
from mmseg.datasets.transforms import RandomFlip

from mmcloudseg.clouds import cloud_cover
from mmcloudseg.datasets import AlignedRandomCrop, LoadRasters, PackCloudSegInputs

LEGEND = {10: 0, 20: 1, 30: 1, 40: 2, 50: 3, 60: 4, 80: 5, 90: 5}


def label_of(info):
    with rasterio.open(info["seg_map_path"]) as source:
        return np.vectorize(LEGEND.get)(source.read(1))


def test_packed_fields(sample):
    info = sample()
    loaded = LoadRasters()(dict(info))
    packed = PackCloudSegInputs()(dict(loaded))
    inputs, data_sample = packed["inputs"], packed["data_samples"]
    assert inputs.dtype == torch.float32 and inputs.is_contiguous()
    assert (inputs.numpy() == loaded["img"][..., :6].transpose(2, 0, 1)).all()
    assert data_sample.gt_sem_seg.data.dtype == torch.int64
    assert (data_sample.gt_sem_seg.data[0].numpy() == label_of(info)).all()
    assert data_sample.gt_cloud_free.data.dtype == torch.float32
    assert (
        data_sample.gt_cloud_free.data.numpy() == loaded["img"][..., 6:].transpose(2, 0, 1)
    ).all()
    assert data_sample.gt_cloud_mask.data.dtype == torch.uint8
    assert (data_sample.gt_cloud_mask.data[0].numpy() == loaded["gt_cloud_mask"]).all()


def test_metainfo(sample):
    info = sample()
    meta = PackCloudSegInputs()(LoadRasters()(dict(info)))["data_samples"].metainfo
    for key in ("img_path", "seg_map_path", "sample_name", "area", "label_scale"):
        assert meta[key] == info[key]
    assert meta["ori_shape"] == (12, 12) and meta["img_shape"] == (40, 40)
    assert meta["band_layout"]["sar"] == (4, 6)
    assert meta["cloud_cover"] == np.load(info["cloud_mask_path"]).mean()
    assert type(meta["cloud_cover"]) is float


@pytest.mark.parametrize("size", [10, 40, 50, 110, 250, 300])
@pytest.mark.parametrize("direction", [None, "horizontal", "vertical", "diagonal"])
def test_loading_and_packing_are_inverse(sample, size, direction):
    info = sample(size, seed=size)
    expected = label_of(info)
    results = LoadRasters()(dict(info))
    if direction:
        results = RandomFlip(prob=1.0, direction=direction)(results)
        axes = dict(horizontal=1, vertical=0, diagonal=(0, 1))[direction]
        expected = np.flip(expected, axes)
    packed = PackCloudSegInputs()(results)
    assert (packed["data_samples"].gt_sem_seg.data[0].numpy() == expected).all()


def test_cropping_flipping_and_packing(sample):
    info = sample(100)
    label = label_of(info)
    random.seed(5)
    for before in (True, False):
        for _ in range(20):
            results = dict(info)
            steps = [AlignedRandomCrop((60, 20)), LoadRasters()]
            for step in steps if before else steps[::-1]:
                state = random.getstate()
                results = step(results)
                if isinstance(step, AlignedRandomCrop):
                    random.setstate(state)
                    row, column = random.randint(0, 4), random.randint(0, 8)
            results = RandomFlip(prob=1.0, direction="horizontal")(results)
            packed = PackCloudSegInputs()(results)["data_samples"]
            expected = label[3 * row : 3 * row + 18, 3 * column : 3 * column + 6][:, ::-1]
            assert (packed.gt_sem_seg.data[0].numpy() == expected).all()
            assert packed.ori_shape == (18, 6) and packed.img_shape == (60, 20)


def test_labels_on_the_published_samples(real_sample, shared):
    golden = np.load(shared / "parity" / "real" / "preprocess.npz", allow_pickle=False)
    for split in ("train", "test"):
        packed = PackCloudSegInputs()(LoadRasters()(real_sample(split)))["data_samples"]
        assert (packed.gt_sem_seg.data[0].numpy() == golden[f"{split}_landcover"]).all()


def test_modalities(sample):
    loaded = LoadRasters()(sample())
    img = torch.from_numpy(loaded["img"]).permute(2, 0, 1)
    for modalities, bands in (
        (("cloud_free", "sar"), [6, 7, 8, 9, 4, 5]),
        (("sar",), [4, 5]),
        (("optical",), [0, 1, 2, 3]),
    ):
        packed = PackCloudSegInputs(modalities=modalities)(dict(loaded))
        assert (packed["inputs"] == img[bands]).all()
    with pytest.raises(ValueError, match=r"'sar' was not loaded.*LoadRasters\(modalities=…\)"):
        PackCloudSegInputs()(LoadRasters(modalities=("optical",))(sample()))


def test_prediction_has_the_label_grid_without_a_label(sample):
    loader = LoadRasters(modalities=("optical", "sar"), with_mask=False, with_label=False)
    data_sample = PackCloudSegInputs()(loader(sample()))["data_samples"]
    assert data_sample.ori_shape == (12, 12) and data_sample.img_shape == (40, 40)
    assert not set(data_sample.all_keys()) & {"gt_sem_seg", "gt_cloud_free", "gt_cloud_mask"}
    assert "cloud_cover" not in data_sample


def test_packing_leaves_its_input_alone(sample):
    loaded = LoadRasters()(sample())
    before = loaded["img"].copy()
    packed = PackCloudSegInputs()(loaded)
    packed["inputs"].zero_()
    packed["data_samples"].gt_cloud_free.data.zero_()
    assert (loaded["img"] == before).all() and loaded["gt_seg_map"].shape == (40, 40)


def test_cloud_cover_counts_only_cloudy_and_clear_pixels():
    assert cloud_cover(np.array([[0, 1, 1, 1], [255, 255, 255, 255]])) == 0.75
    assert np.isnan(cloud_cover(np.full((2, 2), 255)))
