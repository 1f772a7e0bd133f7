"""Samples of the mini data set."""

import hashlib

import numpy as np
import pytest

from mmcloudseg.procedural.landscape import CLASS_CODES
from mmcloudseg.procedural.mini_m3mcr import cloud_cover, draw_sample

CODES = {10, 20, 30, 40, 50, 60, 80, 90}


def _digest(sample):
    arrays = (
        sample.cloud_free,
        sample.cloudy,
        sample.cloud_mask,
        sample.backscatter_db,
        sample.land_cover,
    )
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


@pytest.fixture(scope="module")
def samples():
    return [draw_sample(0, "train", index) for index in range(13)]


def test_types_shapes_and_ranges(samples):
    for sample in samples:
        assert sample.cloud_free.dtype == sample.cloudy.dtype == np.uint16
        assert sample.cloud_free.shape == sample.cloudy.shape == (4, 300, 300)
        assert sample.cloud_mask.dtype == bool and sample.cloud_mask.shape == (300, 300)
        assert sample.backscatter_db.dtype == np.float64
        assert sample.backscatter_db.shape == (2, 90, 90)
        assert sample.backscatter_db.min() > -50 and sample.backscatter_db.max() < 20
        assert sample.land_cover.dtype == np.uint8 and sample.land_cover.shape == (90, 90)
        assert min(sample.cloud_free.min(), sample.cloudy.min()) >= 1
        assert max(sample.cloud_free.max(), sample.cloudy.max()) < 12_000


def test_same_arguments_same_pixels_and_nothing_else():
    digests = [
        _digest(draw_sample(*arguments))
        for arguments in (
            (0, "val", 3),
            (0, "val", 3),
            (1, "val", 3),
            (0, "test", 3),
            (0, "val", 4),
        )
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4


def test_splits_and_indices_share_no_place():
    samples = [
        draw_sample(0, split, index) for split, index in (("train", 0), ("val", 0), ("val", 6))
    ]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        agreement = (samples[one].land_cover == samples[other].land_cover).mean()
        assert agreement < 0.6
        speckle = [samples[i].backscatter_db[0].ravel() for i in (one, other)]
        assert abs(np.corrcoef(*speckle)[0, 1]) < 0.4


def test_every_class_has_a_share_and_no_code_is_foreign(samples):
    labels = np.stack([sample.land_cover for sample in samples])
    seen = set(np.unique(labels).tolist())
    assert seen <= CODES | {0}
    assert seen >= set(CLASS_CODES) | {20}
    assert 0 < (labels == 0).mean() < 0.001
    groups = [
        np.isin(labels, codes).mean() for codes in ((10,), (20, 30), (40,), (50,), (60,), (80, 90))
    ]
    assert min(groups) > 0.04


@pytest.mark.parametrize(("split", "count"), [("val", 10), ("test", 20)])
@pytest.mark.parametrize("seed", [0, 7])
def test_cover_fills_the_bins_evenly(split, count, seed):
    covers = [cloud_cover(seed, split, index) for index in range(count)]
    counted, _ = np.histogram(covers, bins=np.linspace(0, 1, 6))
    assert (counted == count // 5).all()
    assert np.abs(np.subtract.outer(covers, [0.2, 0.4, 0.6, 0.8])).min() > 1e-3


def test_training_has_clear_and_overcast_samples():
    covers = [cloud_cover(0, "train", index) for index in range(48)]
    assert covers.count(0.0) >= 4
    assert covers.count(1.0) >= 4
    assert sum(0 < cover < 1 for cover in covers) > 30


def test_cover_obtained_is_the_cover_planned(samples):
    for index, sample in enumerate(samples):
        planned = cloud_cover(0, "train", index)
        assert sample.cloud_mask.mean() == pytest.approx(planned, abs=1e-3)
    assert any(sample.cloud_mask.all() for sample in samples)
    clear = [sample for sample in samples if not sample.cloud_mask.any()]
    assert clear
    for sample in clear:
        np.testing.assert_array_equal(sample.cloudy, sample.cloud_free)


def test_cloudy_pixels_differ_from_the_clear_image(samples):
    for sample in samples:
        changed = (sample.cloudy != sample.cloud_free).any(axis=0)
        assert changed[sample.cloud_mask].mean() > 0.99 if sample.cloud_mask.any() else True


def test_grids_start_up_to_two_metres_apart(samples):
    offsets = set()
    for sample in samples:
        east = sample.label_origin[0] - sample.optical_origin[0]
        north = sample.optical_origin[1] - sample.label_origin[1]
        assert 0 <= east <= 2 and 0 <= north <= 2
        assert sample.optical_origin[0] % 3 == sample.optical_origin[1] % 3 == 0
        assert sample.label_origin[0] % 10 == sample.label_origin[1] % 10 == 0
        offsets |= {east, north}
    assert offsets == {0, 1, 2}


def test_labels_lie_where_the_optical_image_shows_them(samples):
    """Water is dark in the near infrared at the label's own place, not beside it."""
    centres = ((np.arange(90) + 0.5) * 300 / 90).astype(int)
    agreement = {-8: [], 0: [], 8: []}
    for sample in samples:
        dark = sample.cloud_free[3][np.ix_(centres, centres)] < 700
        water = sample.land_cover == 80
        if 0.05 < water.mean() < 0.95:
            for shift, values in agreement.items():
                values.append((np.roll(dark, shift, axis=1) == water).mean())
    means = {shift: np.mean(values) for shift, values in agreement.items()}
    assert means[0] > 0.97
    assert means[0] > max(means[-8], means[8]) + 0.05


def test_patches_of_an_area_share_place_and_season():
    first, second, third = (draw_sample(0, "train", index) for index in (4, 5, 6))
    assert (first.area, first.patch, second.area, second.patch) == (3, 1, 3, 2)
    assert (first.season, first.epsg) == (second.season, second.epsg)
    assert second.label_origin == (first.label_origin[0] + 900, first.label_origin[1])
    assert third.area == 4


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"'train'.*split='dev'"):
        draw_sample(0, "dev", 0)
    with pytest.raises(ValueError, match=r"seed .*from 0, .*seed=-1"):
        draw_sample(-1, "train", 0)
