"""Samples without one of their modalities."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from mmengine.dataset import worker_init_fn
from mmseg.datasets.transforms import RandomFlip, Resize
from mmseg.registry import TRANSFORMS
from torch.utils.data import DataLoader, Dataset

from mmcloudseg.datasets import AlignedCenterCrop, LoadRasters, PackCloudSegInputs
from mmcloudseg.datasets.transforms import DropModality, RandomModalityDropout

LAYOUT = dict(optical=(0, 4), sar=(4, 6), cloud_free=(6, 10))


def loaded(dtype=np.float32):
    rng = np.random.default_rng(0)
    return dict(
        img=rng.integers(1, 99, (20, 20, 10)).astype(dtype), band_layout=LAYOUT, img_path="a.tif"
    )


def lost(results):
    """Modalities of which every band is NaN everywhere; the others have none at all."""
    gone = np.isnan(results["img"])
    for start, stop in LAYOUT.values():
        assert gone[..., start:stop].all() or not gone[..., start:stop].any()
    return {name for name, (start, _) in LAYOUT.items() if gone[0, 0, start]}


@pytest.mark.parametrize("modality", ["optical", "sar"])
@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_drop_takes_these_bands_alone(modality, dtype):
    before = loaded(dtype)
    img = before["img"]
    after = DropModality(modality)(dict(before))
    assert lost(after) == {modality} and after["img"].dtype == np.float32
    rest = ~np.isnan(after["img"])
    np.testing.assert_array_equal(after["img"][rest], img[rest])
    np.testing.assert_array_equal(img, loaded(dtype)["img"])  # not written to


def test_dropout_takes_each_as_often_as_asked_and_never_both():
    random.seed(0)
    transform = RandomModalityDropout(optical=0.3, sar=0.1)
    drawn = [lost(transform(loaded())) for _ in range(2000)]
    assert all(gone in ({"optical"}, {"sar"}, set()) for gone in drawn)
    assert np.mean([gone == {"optical"} for gone in drawn]) == pytest.approx(0.3, abs=0.03)
    assert np.mean([gone == {"sar"} for gone in drawn]) == pytest.approx(0.1, abs=0.02)
    assert not lost(RandomModalityDropout(0, 0)(loaded()))
    assert lost(RandomModalityDropout(0, 1)(loaded())) == {"sar"}


@pytest.mark.parametrize(
    ("before", "modality", "after"),
    [
        ({}, "sar", "optical"),
        ({}, "optical", "sar"),
        (dict(modalities="optical"), "sar", "optical"),
        (dict(modalities="sar"), "sar", "none"),
    ],
)
def test_a_sample_says_which_modalities_are_left(before, modality, after):
    results = DropModality(modality)(loaded() | before)
    assert results["modalities"] == after


def test_dropout_never_takes_the_only_modality():
    results = RandomModalityDropout(0, 1)(loaded() | dict(modalities="sar"))
    assert not lost(results) and results["modalities"] == "sar"
    assert lost(RandomModalityDropout(1, 0)(loaded() | dict(modalities="sar"))) == {"optical"}


@pytest.mark.parametrize(
    ("modalities", "packed"),
    [(("optical", "sar"), "optical+sar"), (("cloud_free",), "optical"), (("sar",), "sar")],
)
def test_packing_says_which_modalities_there_are(sample, modalities, packed):
    results = PackCloudSegInputs(modalities=modalities)(LoadRasters(modalities)(sample()))
    assert results["data_samples"].modalities == packed


def test_the_default_keeps_most_samples_whole():
    random.seed(1)
    transform = TRANSFORMS.build(dict(type="RandomModalityDropout"))
    whole = [not lost(transform(loaded())) for _ in range(1000)]
    assert np.mean(whole) == pytest.approx(0.8, abs=0.04)


class _Samples(Dataset):
    transform = RandomModalityDropout(0.4, 0.4)

    def __len__(self):
        return 64

    def __getitem__(self, _):
        return torch.from_numpy(self.transform(loaded())["img"][0, 0])


def test_the_seed_decides_and_workers_differ():
    def read(seed):
        init = lambda i: worker_init_fn(i, num_workers=2, rank=0, seed=seed)  # noqa: E731
        loader = DataLoader(_Samples(), batch_size=32, num_workers=2, worker_init_fn=init)
        return [batch.isnan() for batch in loader]

    one, again, other = read(0), read(0), read(1)
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert not torch.equal(one[0], one[1])


@pytest.mark.parametrize("modality", ["optical", "sar"])
def test_nan_arrives_in_the_inputs_and_nowhere_else(sample, modality):
    whole = LoadRasters()(sample())
    steps = [
        AlignedCenterCrop(20),
        Resize(scale=(40, 40), keep_ratio=False),
        RandomFlip(prob=1.0, direction="horizontal"),
        PackCloudSegInputs(),
    ]
    with_it, without_it = dict(whole), DropModality(modality)(dict(whole))
    for step in steps:
        with_it, without_it = step(with_it), step(without_it)
    start, stop = LAYOUT[modality]
    inputs, expected = without_it["inputs"], with_it["inputs"].clone()
    assert inputs.shape == (6, 40, 40)
    expected[start:stop] = float("nan")
    assert torch.equal(inputs.isnan(), expected.isnan())
    assert torch.equal(inputs.nan_to_num(0), expected.nan_to_num(0))
    for field in ("gt_sem_seg", "gt_cloud_free", "gt_cloud_mask"):
        ours, theirs = (s["data_samples"].get(field).data for s in (without_it, with_it))
        assert torch.equal(ours, theirs), field


def test_errors():
    with pytest.raises(ValueError, match=r"one of \['optical', 'sar'\], found 'cloud_free'"):
        DropModality("cloud_free")
    with pytest.raises(ValueError, match=r"together at most 1.* found 0\.6 and 0\.5"):
        RandomModalityDropout(0.6, 0.5)
    with pytest.raises(ValueError, match=r"probabilities from 0.* found -0\.1 and 0\.5"):
        RandomModalityDropout(-0.1, 0.5)
    results = dict(loaded(), band_layout=dict(optical=(0, 10)))
    with pytest.raises(ValueError, match=r"a.tif: 'sar' cannot be taken.*only \['optical'\]"):
        DropModality("sar")(results)
