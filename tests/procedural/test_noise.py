"""Fractal noise and area averages."""

import numpy as np
import pytest

from mmcloudseg.procedural.noise import area_mean, area_weights, fractal_noise


def _neighbour_correlation(field, step):
    return float(np.corrcoef(field[:, :-step].ravel(), field[:, step:].ravel())[0, 1])


def test_noise_is_normalised_and_follows_the_generator():
    first = fractal_noise(np.random.default_rng(3), (61, 90), 12)
    again = fractal_noise(np.random.default_rng(3), (61, 90), 12)
    other = fractal_noise(np.random.default_rng(4), (61, 90), 12)
    assert first.shape == (61, 90)
    assert first.mean() == pytest.approx(0, abs=1e-12)
    assert first.std() == pytest.approx(1)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.5


def test_longer_correlation_gives_larger_features():
    fine = fractal_noise(np.random.default_rng(0), (200, 200), 2)
    coarse = fractal_noise(np.random.default_rng(0), (200, 200), 30)
    assert _neighbour_correlation(fine, 8) < 0.2
    assert _neighbour_correlation(coarse, 8) > 0.6


def test_opposite_edges_are_unrelated():
    fields = [fractal_noise(np.random.default_rng(seed), (80, 80), 10) for seed in range(30)]
    left = np.concatenate([field[:, 0] for field in fields])
    right = np.concatenate([field[:, -1] for field in fields])
    assert abs(np.corrcoef(left, right)[0, 1]) < 0.3


def test_noise_refuses_what_it_cannot_draw():
    with pytest.raises(ValueError, match=r"fractal_noise: .*at least 2 .*shape \(1, 5\)"):
        fractal_noise(np.random.default_rng(0), (1, 5), 3)
    with pytest.raises(ValueError, match=r"fractal_noise: .*positive .*correlation_px 0"):
        fractal_noise(np.random.default_rng(0), (9, 9), 0)


def test_area_weights_by_hand():
    # Three fine pixels of 10/3 m hold one of 10 m; the second of three targets over four sources
    # takes two thirds of either middle source.
    np.testing.assert_allclose(area_weights(4, 2), [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    np.testing.assert_allclose(area_weights(4, 3)[1], [0, 0.5, 0.5, 0])
    np.testing.assert_allclose(area_weights(4, 3)[0], [0.75, 0.25, 0, 0])


def test_area_weights_with_an_offset_keep_to_the_inside():
    np.testing.assert_allclose(area_weights(4, 2, 1.0), [[0, 0.5, 0.5, 0], [0, 0, 0, 1]])
    np.testing.assert_allclose(area_weights(300, 90, -0.6).sum(axis=1), 1)
    with pytest.raises(ValueError, match=r"area_weights: .*offset of 2\.0 .*expected .*\(2\)"):
        area_weights(4, 2, 2.0)


def test_area_mean_keeps_the_total_and_heeds_the_offset():
    image = np.random.default_rng(0).random((30, 60))
    coarse = area_mean(image, (9, 18))
    assert coarse.shape == (9, 18)
    assert coarse.mean() == pytest.approx(image.mean())
    assert coarse[0, 0] == pytest.approx(
        np.average(image[:4, :4], weights=np.outer([1, 1, 1, 1 / 3], [1, 1, 1, 1 / 3]))
    )
    ramp = np.tile(np.arange(60.0), (30, 1))
    np.testing.assert_allclose(area_mean(ramp, (10, 20))[0, :3], [1, 4, 7])
    np.testing.assert_allclose(area_mean(ramp, (10, 20), (0, 1))[0, :3], [2, 5, 8])
    np.testing.assert_allclose(area_mean(ramp.T, (20, 10), (1, 0))[:3, 0], [2, 5, 8])
