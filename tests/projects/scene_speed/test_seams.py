from __future__ import annotations

import numpy as np
import pytest

from scene_speed.seams import seam_ratio


def test_noise_has_no_seams():
    labels = np.random.default_rng(0).integers(0, 4, (400, 400))
    assert seam_ratio(labels, range(0, 400, 20), range(0, 400, 20)) == pytest.approx(1, abs=0.02)


def test_tiles_of_one_class_each_have_nothing_else():
    rows, columns = np.mgrid[:100, :100]
    labels = (rows // 20 + columns // 20) % 2
    labels[5, 5] = 3  # one pixel's four edges
    ratio = seam_ratio(labels, range(0, 101, 20), range(0, 101, 20))
    pairs = 100 * (99 - 4) * 2
    assert ratio == pytest.approx(1 / (4 / pairs))


def test_shifted_edges_are_not_counted():
    labels = np.zeros((50, 50), int)
    labels[:, 25:] = 1
    assert seam_ratio(labels, [], [24]) == 0
    assert seam_ratio(labels, [], [25]) == np.inf
    assert np.isnan(seam_ratio(0 * labels, [], [25]))


def test_without_edges():
    with pytest.raises(ValueError, match=r"tile.*larger scene"):
        seam_ratio(np.zeros((5, 5), int), [0], [5])
