"""What LoadRasters reads, and how it treats pixels without data."""

import numpy as np
import pytest
import rasterio
import torch
import torch.nn.functional as F
from rasterio.enums import ColorInterp

from mmcloudseg.datasets import LoadRasters
from mmcloudseg.datasets.header_checks import header_problems
from mmcloudseg.datasets.transforms.loading import class_indices


def pixels(path):
    with rasterio.open(path) as source:
        return source.read()


def test_keys_and_values(sample):
    info = sample()
    results = LoadRasters()(dict(info))
    assert results["band_layout"] == dict(optical=(0, 4), sar=(4, 6), cloud_free=(6, 10))
    assert results["img"].shape == (40, 40, 10) and results["img"].dtype == np.float32
    assert results["img"].flags.c_contiguous
    assert results["img_shape"] == (40, 40) and results["ori_shape"] == (12, 12)
    assert results["seg_fields"] == ["gt_seg_map", "gt_cloud_mask"]
    assert (results["img"][..., :4] == pixels(info["img_path"]).transpose(1, 2, 0)).all()
    assert (results["img"][..., 6:] == pixels(info["cloud_free_path"]).transpose(1, 2, 0)).all()

    def nearest_exact(array):
        return F.interpolate(torch.from_numpy(array)[None], size=(40, 40), mode="nearest-exact")[0]

    backscatter = nearest_exact(pixels(info["sar_path"]).astype(np.float32))
    assert (results["img"][..., 4:6].transpose(2, 0, 1) == backscatter.numpy()).all()

    codes = nearest_exact(pixels(info["seg_map_path"])[:1])[0].numpy()
    legend = {10: 0, 20: 1, 30: 1, 40: 2, 50: 3, 60: 4, 80: 5, 90: 5}
    assert results["gt_seg_map"].dtype == np.uint8
    assert (results["gt_seg_map"] == np.vectorize(legend.get)(codes)).all()
    mask = np.load(info["cloud_mask_path"])
    assert results["gt_cloud_mask"].dtype == np.uint8
    assert (results["gt_cloud_mask"] == mask).all() and 0 < mask.mean() < 1


@pytest.mark.parametrize(
    "window", [(0, 0, 10, 10), (10, 20, 20, 10), (20, 0, 20, 40), (3, 7, 11, 5)]
)
def test_a_window_equals_the_crop_of_the_whole(sample, edit_raster, window):
    info = sample()

    def spoil(array):
        array[:, 0:9:2, 4] = np.nan
        return array

    edit_raster(info["sar_path"], spoil)
    whole = LoadRasters()(dict(info))
    part = LoadRasters()({**info, "crop_window": window})
    top, left, height, width = window
    for key in ("img", "gt_seg_map", "gt_cloud_mask"):
        expected = whole[key][top : top + height, left : left + width]
        assert (part[key] == expected).all(), key
    assert part["img_shape"] == (height, width)
    assert part["ori_shape"] == (round(height * 0.3), round(width * 0.3))
    assert np.isfinite(part["img"]).all()


def test_modalities_and_bands(sample):
    info = sample()
    whole = LoadRasters()(dict(info))["img"]
    sar = LoadRasters(modalities=("sar",), with_mask=False, with_label=False)(dict(info))
    assert sar["band_layout"] == dict(sar=(0, 2)) and sar["seg_fields"] == []
    assert "gt_seg_map" not in sar and "gt_cloud_mask" not in sar
    assert sar["ori_shape"] == (12, 12)
    assert (sar["img"] == whole[..., 4:6]).all()
    loader = LoadRasters(("cloud_free", "optical", "sar"), bands=dict(optical=(3, 1), sar=(2,)))
    some = loader(dict(info))
    assert some["band_layout"] == dict(cloud_free=(0, 2), optical=(2, 4), sar=(4, 5))
    assert (some["img"] == whole[..., [8, 6, 2, 0, 5]]).all()
    with pytest.raises(ValueError, match=r"LoadRasters: .*\['radar'\].*'optical'"):
        LoadRasters(modalities=("optical", "radar"))


def test_without_a_dataset(sample):
    info = sample()
    results = dict(img_path=info["img_path"], sar_path=info["sar_path"], label_scale=0.3)
    loaded = LoadRasters(modalities=("optical", "sar"))(results)
    assert loaded["img"].shape == (40, 40, 6) and loaded["ori_shape"] == (12, 12)


def test_nan_and_nodata(sample, edit_raster):
    info = sample()

    def spoil_sar(array):
        array[0, 5, 5] = np.nan
        return array

    def spoil_optical(array):
        array[1, 0, 0] = 0
        return array

    expected = np.nanmean(spoil_sar(pixels(info["sar_path"]))[0].astype(np.float32))
    edit_raster(info["sar_path"], spoil_sar)
    edit_raster(info["img_path"], spoil_optical)
    img = LoadRasters()(dict(info))["img"]
    assert img[17, 17, 4] == pytest.approx(expected, abs=1e-5)
    assert img[0, 0, 1] == 0


def test_ignored_label_codes(sample, edit_raster):
    info = sample()

    def spoil(array):
        array[0, 0, :4] = (0, 70, 95, 100)
        return array

    edit_raster(info["seg_map_path"], spoil)
    assert (LoadRasters()(dict(info))["gt_seg_map"][0, :13] == 255).all()


def test_declared_nodata_of_a_label_is_ignored(sample, edit_raster):
    info = sample()

    def spoil(array):
        array[0, 0, 0] = 200
        return array

    edit_raster(info["seg_map_path"], spoil, nodata=200)
    assert LoadRasters()(dict(info))["gt_seg_map"][0, 0] == 255


def test_class_indices_of_floats_and_negatives():
    codes = np.array([[-1.0, 10.0], [10.0, 255.0]])
    assert class_indices(codes, {-1: 255, 10: 3, 255: 0}, "x").tolist() == [[255, 3], [3, 0]]


def test_mask_from_a_raster(sample, write_raster, tmp_path):
    info = sample()
    mask = np.zeros((40, 40), np.uint8)
    mask[:, 30:], mask[5] = 7, 99
    write_raster(tmp_path / "mask.tif", mask, nodata=99)
    info.update(cloud_mask_path=str(tmp_path / "mask.tif"), cloud_mask_codes="nonzero")
    loaded = LoadRasters()({**info, "crop_window": (0, 20, 10, 20)})["gt_cloud_mask"]
    expected = np.zeros((10, 20), np.uint8)
    expected[:, 10:], expected[5] = 1, 255
    assert (loaded == expected).all()


def add_mask(path, hole):
    """An internal mask that excludes some of a raster's pixels."""
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as source:
        mask = np.ones(source.shape, bool)
        mask[hole] = False
        source.write_mask(mask)


def test_masked_pixels_are_filled_or_ignored(sample, write_raster, tmp_path):
    info = sample()
    plain = LoadRasters()(dict(info))
    write_raster(tmp_path / "mask.tif", np.load(info["cloud_mask_path"]).astype(np.uint8))
    info["cloud_mask_path"] = str(tmp_path / "mask.tif")
    for key in ("img_path", "sar_path", "seg_map_path", "cloud_mask_path"):
        add_mask(info[key], np.s_[:3, :6])
    loaded = LoadRasters()(dict(info))
    fine, coarse = np.zeros((40, 40), bool), np.zeros((40, 40), bool)
    fine[:3, :6], coarse[:10, :20] = True, True
    for bands, hole, path in ((slice(0, 4), fine, "img_path"), (slice(4, 6), coarse, "sar_path")):
        raw = pixels(info[path]).astype(np.float32)
        keep = np.ones(raw.shape[1:], bool)
        keep[:3, :6] = False
        means = raw[:, keep].mean(axis=1, dtype=np.float64)
        assert loaded["img"][hole][:, bands] == pytest.approx(np.tile(means, (hole.sum(), 1)))
        assert (loaded["img"][~hole][:, bands] == plain["img"][~hole][:, bands]).all()
    assert (loaded["img"][..., 6:] == plain["img"][..., 6:]).all()
    for key, hole in (("gt_seg_map", coarse), ("gt_cloud_mask", fine)):
        assert (loaded[key][hole] == 255).all()
        assert (loaded[key][~hole] == plain[key][~hole]).all()


def test_an_alpha_band_next_to_the_declared_ones_is_a_mask(sample, write_raster):
    info = sample()
    plain = LoadRasters()(dict(info))["img"]
    bands = pixels(info["img_path"])
    alpha = np.full((1, 40, 40), 255, np.uint16)
    alpha[0, :4] = 0
    write_raster(info["img_path"], np.concatenate([bands, alpha]))
    with rasterio.open(info["img_path"], "r+") as source:
        source.colorinterp = [*source.colorinterp[:4], ColorInterp.alpha]
    assert header_problems(info) == []
    image = LoadRasters()(dict(info))["img"]
    assert (image[4:] == plain[4:]).all()
    assert image[0, 0, :4] == pytest.approx(bands[:, 4:].mean(axis=(1, 2)))
    # One of five bands that a dataset declares, it is none.
    five = LoadRasters(("optical",))({**info, "band_counts": dict(optical=5)})["img"]
    assert (five[..., :4] == plain[..., :4]).all() and (five[..., 4] == alpha[0]).all()


def test_nan_of_a_float_label_is_ignored(sample, edit_raster):
    info = sample()
    plain = LoadRasters()(dict(info))["gt_seg_map"]

    def spoil(array):
        array = array.astype(np.float32)
        array[0, 0, 0] = np.nan
        return array

    edit_raster(info["seg_map_path"], spoil)
    loaded = LoadRasters()(dict(info))["gt_seg_map"]
    assert (loaded[:3, :3] == 255).all() and (loaded[4:] == plain[4:]).all()


def test_a_class_declared_as_nodata_stays_a_class(sample, edit_raster):
    info = sample()
    plain = LoadRasters()(dict(info))["gt_seg_map"]
    edit_raster(info["seg_map_path"], nodata=10)
    assert (LoadRasters()(dict(info))["gt_seg_map"] == plain).all() and (plain == 0).any()


@pytest.mark.parametrize("split", ["train", "test"])
def test_published_samples(real_sample, shared, split):
    golden = np.load(shared / "parity" / "real" / "preprocess.npz", allow_pickle=False)
    results = LoadRasters()(real_sample(split))
    assert (results["gt_cloud_mask"] == golden[f"{split}_cloudmask"]).all()
    assert (results["img"][..., :4] / 10000 == golden[f"{split}_cloudy"].transpose(1, 2, 0)).all()
