"""Fractal noise by octaves."""

import hashlib

import numpy as np
import pytest

from mmcloudseg.clouds.octaves import octave_noise, uniform


def _rng(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (3, 3), (4, 300), (97, 64)])
@pytest.mark.parametrize("largest_px", [2, 7.3, 64, 500])
def test_any_shape_and_size(shape, largest_px):
    field = octave_noise(_rng(), shape, largest_px)
    assert field.shape == shape
    assert field.dtype == np.float32
    assert np.isfinite(field).all()


@pytest.mark.parametrize("largest_px", [3, 16, 33, 60])
def test_mean_and_spread(largest_px):
    fields = np.stack([octave_noise(_rng(seed), (200, 200), largest_px) for seed in range(40)])
    assert abs(fields.mean()) < 0.2
    assert fields.std() == pytest.approx(1, abs=0.1)


def _correlation(largest_px, lag, **settings):
    fields = [octave_noise(_rng(seed), (160, 160), largest_px, **settings) for seed in range(12)]
    left = np.concatenate([f[:, :-lag].ravel() for f in fields])
    right = np.concatenate([f[:, lag:].ravel() for f in fields])
    return np.corrcoef(left, right)[0, 1]


def test_larger_features_correlate_further():
    correlations = [_correlation(size, 16) for size in (8, 16, 24, 32, 64)]
    assert (np.diff(correlations) > 0.02).all()
    assert correlations[0] < 0.1
    assert correlations[-1] > 0.75


def test_roughness_and_octaves_make_fields_smoother_or_more_ragged():
    assert _correlation(32, 2, roughness=0.5) < _correlation(32, 2, roughness=1.0) - 0.01
    assert _correlation(32, 2, roughness=1.0) < _correlation(32, 2, roughness=2.0)
    # One octave has nothing below its own size: no jump from a pixel to its second neighbour.
    one = octave_noise(_rng(), (128, 128), 32, octaves=1)
    many = octave_noise(_rng(), (128, 128), 32, octaves=5, roughness=0.5)
    assert np.abs(np.diff(one, axis=0)).max() < 0.4 * np.abs(np.diff(many, axis=0)).max()


def test_the_lattice_does_not_show():
    """Spread by place, over many draws: alike on lattice points and between them."""
    fields = np.stack([octave_noise(_rng(seed), (32, 32), 16, octaves=1) for seed in range(600)])
    spread = fields.std(axis=0)
    assert spread.max() / spread.min() < 1.35


def test_pixels_are_pinned():
    """The same bytes on every machine and by every later version; or the manifests change."""
    field = octave_noise(_rng(3), (50, 70), 21.5)
    assert hashlib.sha256(field.tobytes()).hexdigest()[:16] == "da51c4ed9dcac86f"
    rng = _rng(0)
    assert [uniform(rng, 0, 1) for _ in range(2)] == [0.6369616873214543, 0.2697867137638703]


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"largest_px .*at least 2 .*found 1 and 8"):
        octave_noise(_rng(), (9, 9), 1)
    with pytest.raises(ValueError, match=r"at least one octave.* 9 and 0"):
        octave_noise(_rng(), (9, 9), 9, octaves=0)
