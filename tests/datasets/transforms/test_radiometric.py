"""Values change in the unit of their modality, and in it alone."""

from __future__ import annotations

import random

import numpy as np
import pytest
from mmseg.registry import TRANSFORMS

from mmcloudseg.datasets.transforms import GaussianNoise, OpticalJitter, SARSpeckle
from mmcloudseg.utils.errors import DataError

LAYOUT = dict(optical=(0, 4), sar=(4, 6), cloud_free=(6, 10))


def loaded(size=100, **more):
    rng = np.random.default_rng(0)
    img = rng.uniform(500, 3000, (size, size, 10)).astype(np.float32)
    img[..., 4:6] = rng.uniform(-25, -5, (size, size, 2))
    return dict(img=img, band_layout=LAYOUT, **more)


@pytest.fixture(autouse=True)
def seeded():
    random.seed(0)
    np.random.seed(0)


def test_jitter_is_one_function_for_the_image_with_and_without_clouds():
    before = loaded()
    after = OpticalJitter(prob=1.0)(dict(before))["img"]
    np.testing.assert_array_equal(after[..., 4:6], before["img"][..., 4:6])
    for band in range(4):
        x, y = before["img"][..., band].ravel(), after[..., band].ravel()
        slope, shift = np.polyfit(x, y, 1)
        assert slope != pytest.approx(1, abs=1e-4)
        np.testing.assert_allclose(y, slope * x + shift, rtol=1e-4)
        clear = before["img"][..., 6 + band]
        np.testing.assert_allclose(after[..., 6 + band], slope * clear + shift, rtol=1e-4)


def test_each_number_of_the_jitter_does_what_it_says():
    before = loaded()
    optical = before["img"][..., :4]
    off = dict(prob=1.0, gain=0, band_gain=0, contrast=0, offset=0)
    np.testing.assert_allclose(OpticalJitter(**off)(dict(before))["img"], before["img"])

    gains = [OpticalJitter(**{**off, "gain": 0.2})(dict(before))["img"][..., :4] / optical]
    gains += [OpticalJitter(**{**off, "gain": 0.2})(dict(before))["img"][..., :4] / optical]
    assert all(ratio.min() >= 0.8 and ratio.max() <= 1.2 for ratio in gains)
    assert all(np.ptp(ratio) < 1e-5 for ratio in gains) and abs(gains[0] - gains[1]).max() > 0.01

    ratio = OpticalJitter(**{**off, "band_gain": 0.2})(dict(before))["img"][..., :4] / optical
    assert len(np.unique(ratio[0, 0].round(4))) == 4 and ratio.min() >= 0.8 and ratio.max() <= 1.2

    shifted = OpticalJitter(**{**off, "offset": 0.05})(dict(before))["img"][..., :4] - optical
    assert np.ptp(shifted) < 1e-2 and 1 < abs(shifted).max() <= 500
    eight_bit = OpticalJitter(**{**off, "offset": 0.05, "scale": 255})(dict(before))["img"]
    assert 0 < abs(eight_bit[..., :4] - optical).max() <= 12.8

    sharper = OpticalJitter(**{**off, "contrast": 0.3})(dict(before))["img"][..., :4]
    np.testing.assert_allclose(sharper.mean((0, 1)), optical.mean((0, 1)), rtol=1e-4)
    assert abs(sharper.std() / optical.std() - 1) > 0.01


def test_jitter_leaves_no_data_alone():
    before = loaded()
    before["img"][:50, :, 0:4] = np.nan
    before["img"][..., 1] = np.nan
    after = OpticalJitter(prob=1.0)(dict(before))["img"]
    np.testing.assert_array_equal(np.isnan(after), np.isnan(before["img"]))


def test_noise_has_the_units_asked_for_and_spares_the_target(monkeypatch):
    monkeypatch.setattr(random, "uniform", lambda low, high: high)
    before = loaded()
    after = GaussianNoise(dict(optical=20.0, sar=0.5), prob=1.0)(dict(before))["img"]
    noise = after.astype(float) - before["img"]
    assert noise[..., :4].std() == pytest.approx(20, rel=0.03)
    assert noise[..., 4:6].std() == pytest.approx(0.5, rel=0.03)
    assert abs(noise.mean((0, 1))[:6]).max() < 1 and (noise[..., 6:] == 0).all()
    assert abs(np.corrcoef(noise[..., 0].ravel(), noise[..., 1].ravel())[0, 1]) < 0.05


@pytest.mark.parametrize("looks", [1, 4, 16])
def test_speckle_keeps_the_mean_in_linear_units(looks):
    before = loaded(300)
    after = SARSpeckle(looks=looks, prob=1.0)(dict(before))["img"]
    ratio = 10 ** ((after[..., 4:6].astype(float) - before["img"][..., 4:6]) / 10)
    assert ratio.mean() == pytest.approx(1, abs=0.02)
    assert ratio.var() == pytest.approx(1 / looks, rel=0.05)
    # Larger speckle on larger backscatter: multiplicative, unlike noise.
    assert abs(np.corrcoef(ratio[..., 0].ravel(), before["img"][..., 4].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(ratio[..., 0].ravel(), ratio[..., 1].ravel())[0, 1]) < 0.02
    rest = [0, 1, 2, 3, 6, 7, 8, 9]
    np.testing.assert_array_equal(after[..., rest], before["img"][..., rest])


@pytest.mark.parametrize("transform", [SARSpeckle(4, 1.0), GaussianNoise(dict(sar=1.0), 1.0)])
def test_a_pixel_of_coarser_sar_changes_as_one(transform):
    before = loaded(100, sar_scale=0.1)
    added = transform(dict(before))["img"][..., 4:6] - before["img"][..., 4:6]
    blocks = added.reshape(10, 10, 10, 10, 2)
    assert np.ptp(blocks, axis=(1, 3)).max() < 1e-4
    assert len(np.unique(blocks[:, 0, :, 0].round(4))) > 150
    assert np.ptp(transform(loaded(100, sar_scale=None))["img"][..., 4]) > 20


@pytest.mark.parametrize("name", ["OpticalJitter", "GaussianNoise", "SARSpeckle"])
def test_seed_probability_and_copies(name):
    transform = TRANSFORMS.build(dict(type=name, prob=0.5))
    before = loaded(8)
    values = before["img"].copy()

    def draw():
        random.seed(1)
        np.random.seed(1)
        return [transform(dict(before))["img"] for _ in range(200)]

    first, second = draw(), draw()
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    changed = [not np.array_equal(img, values) for img in first]
    assert np.mean(changed) == pytest.approx(0.5, abs=0.1)
    assert len({img.tobytes() for img in first}) == sum(changed) + 1
    np.testing.assert_array_equal(before["img"], values)


def test_errors():
    with pytest.raises(ValueError, match=r"SARSpeckle: prob .* found 2"):
        SARSpeckle(prob=2)
    with pytest.raises(ValueError, match=r"looks .* found \(8, 2\)"):
        SARSpeckle(looks=(8, 2))
    with pytest.raises(ValueError, match=r"std.*cloud_free"):
        GaussianNoise(dict(cloud_free=1.0))
    with pytest.raises(ValueError, match=r"found \{'gain': 1\.5\}"):
        OpticalJitter(gain=1.5)
    results = dict(loaded(8), band_layout=dict(optical=(0, 10)))
    with pytest.raises(ValueError, match=r"SARSpeckle.*'sar'.*\['optical'\]"):
        SARSpeckle(prob=1.0)(results)
    counts = loaded(8, sar_path="s1.tif")
    counts["img"][0, 0, 4] = 3000
    with pytest.raises(DataError, match=r"s1\.tif: SARSpeckle .* 3000.*radiometry"):
        SARSpeckle(prob=1.0)(counts)
    results["band_layout"] = dict(optical=(0, 4), cloud_free=(4, 10))
    with pytest.raises(ValueError, match=r"OpticalJitter.* 6 .* 4"):
        OpticalJitter(prob=1.0)(results)
