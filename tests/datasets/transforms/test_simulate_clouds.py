"""SimulateClouds in a pipeline."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from mmengine.dataset import worker_init_fn
from mmseg.registry import TRANSFORMS
from torch.utils.data import DataLoader, Dataset

from mmcloudseg.datasets import SimulateClouds
from mmcloudseg.utils.errors import DataError

SETTINGS = dict(gsd_m=3.0, wavelengths_um=(0.49, 0.565, 0.665, 0.865))


def _results(name="a", shape=(64, 80), **extra):
    rng = np.random.default_rng(0)
    optical = rng.integers(200, 3000, (*shape, 4)).astype(np.float32)
    sar = rng.normal(-12, 3, (*shape, 2)).astype(np.float32)
    return dict(
        img=np.concatenate([optical, sar, optical], axis=2),
        band_layout=dict(optical=(0, 4), sar=(4, 6), cloud_free=(6, 10)),
        sample_name=name,
        seg_fields=["gt_seg_map"],
        gt_seg_map=np.zeros(shape, np.uint8),
        **extra,
    )


def test_only_the_optical_bands_become_cloudy():
    before = _results()
    after = SimulateClouds(cover=0.5, kind="thick", **SETTINGS)(_results())
    assert after["gt_cloud_mask"].dtype == np.uint8
    assert after["gt_cloud_mask"].mean() == pytest.approx(0.5, abs=0.01)
    assert after["seg_fields"] == ["gt_seg_map", "gt_cloud_mask"]
    assert after["cloud_kind"] == "thick"
    np.testing.assert_array_equal(after["img"][..., 4:], before["img"][..., 4:])
    change = np.abs(after["img"][..., :4] - before["img"][..., :4]).max(axis=2)
    assert change[after["gt_cloud_mask"] == 1].min() > 0
    assert after["img"].dtype == np.float32


def test_the_input_array_is_not_written_to():
    results = _results()
    img = results["img"]
    copy = img.copy()
    SimulateClouds(cover=0.5, **SETTINGS)(results)
    np.testing.assert_array_equal(img, copy)


def test_a_teachers_sample_stays_clear():
    after = SimulateClouds(cover=0.9, **SETTINGS)(_results(optical="cloud_free"))
    np.testing.assert_array_equal(after["img"], _results()["img"])
    assert after["gt_cloud_mask"].max() == 0
    assert after["cloud_kind"] == "none"


def test_clear_fraction():
    transform = SimulateClouds(cover=0.9, clear_fraction=0.4, **SETTINGS)
    kinds = [transform(_results(str(i), (8, 8)))["cloud_kind"] for i in range(200)]
    assert 0.3 < np.mean([kind == "none" for kind in kinds]) < 0.5


def test_fixed_clouds_and_redrawn_ones():
    fixed = SimulateClouds(cover=0.5, **SETTINGS)
    first = fixed(_results())["img"]
    random.seed(1)
    np.testing.assert_array_equal(fixed(_results())["img"], first)
    assert (SimulateClouds(cover=0.5, seed=1, **SETTINGS)(_results())["img"] != first).any()
    assert (fixed(_results(crop_window=(0, 8, 64, 80)))["img"] != first).any()
    fresh = SimulateClouds(cover=0.5, redraw=True, **SETTINGS)
    random.seed(1)
    one, two = fresh(_results())["img"], fresh(_results())["img"]
    assert (one != two).any()
    random.seed(1)
    np.testing.assert_array_equal(fresh(_results())["img"], one)


class _Samples(Dataset):
    def __init__(self, **settings):
        self.transform = SimulateClouds(**SETTINGS, **settings)

    def __len__(self):
        return 16

    def __getitem__(self, index):
        after = self.transform(_results(f"tile {index}", (24, 24)))
        return torch.from_numpy(after["img"]), torch.from_numpy(after["gt_cloud_mask"])


def test_four_workers_give_the_pixels_of_one():
    def read(workers):
        init = lambda i: worker_init_fn(i, num_workers=workers, rank=0, seed=3)  # noqa: E731
        loader = DataLoader(_Samples(), batch_size=4, num_workers=workers, worker_init_fn=init)
        return [torch.cat(parts) for parts in zip(*loader, strict=True)]

    one, four, none = read(1), read(4), read(0)
    for a, b, c in zip(one, four, none, strict=True):
        assert torch.equal(a, b)
        assert torch.equal(a, c)
    assert 0.1 < one[1].float().mean() < 0.9


def test_real_masks_are_taken_from_a_folder(tmp_path):
    mask = np.zeros((32, 40), bool)
    mask[8:20, 10:30] = True
    np.save(tmp_path / "one.npy", mask)
    after = SimulateClouds(mask_dir=str(tmp_path), **SETTINGS)(_results())
    np.testing.assert_array_equal(after["gt_cloud_mask"], mask.repeat(2, 0).repeat(2, 1))


def test_a_real_mask_has_no_cloud_where_it_has_no_data(tmp_path, write_raster):
    mask = np.zeros((32, 40), np.uint8)
    mask[8:20, 10:30], mask[:8] = 1, 255
    write_raster(tmp_path / "one.tif", mask, nodata=255)
    after = SimulateClouds(mask_dir=str(tmp_path), **SETTINGS)(_results())
    np.testing.assert_array_equal(after["gt_cloud_mask"], (mask == 1).repeat(2, 0).repeat(2, 1))


def test_wrong_settings_are_found_when_the_pipeline_is_built(tmp_path):
    build = lambda **kwargs: TRANSFORMS.build(  # noqa: E731
        dict(type="SimulateClouds", **{**SETTINGS, **kwargs})
    )
    with pytest.raises(ValueError, match=r"kind: .*'thick'.*'mist'"):
        build(kind="mist")
    with pytest.raises(TypeError, match=r"unknown argument covr\. Remove it .* cover, .* redraw"):
        build(covr=0.5)
    with pytest.raises(TypeError, match="gsd_m"):
        TRANSFORMS.build(dict(type="SimulateClouds", wavelengths_um=(0.5,)))
    with pytest.raises(ValueError, match=r"white: .* 4 bands, found 1"):
        build(white=[1.0])
    with pytest.raises(ValueError, match="clear_fraction: expected 0 to 1, found 2"):
        build(clear_fraction=2)
    with pytest.raises(DataError, match=rf"mask_dir .*{tmp_path}.*\.npy or \.tif.*leave"):
        build(mask_dir=str(tmp_path))
    with pytest.raises(
        ValueError, match=r"SimulateClouds: .* 4 optical .*wavelengths_um .*3.*one wavelength"
    ):
        build(wavelengths_um=(0.5, 0.6, 0.7))(_results())
