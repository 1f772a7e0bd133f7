from __future__ import annotations

import numpy as np
import pytest

from mmcloudseg.scenes.tiles import TileAxis, edge_ramp


@pytest.mark.parametrize(
    ("length", "tile", "overlap"),
    [(100, 32, 16), (100, 32, 0), (97, 32, 8), (32, 32, 16), (20, 32, 16), (500, 64, 60)],
)
def test_weights_add_up_to_one(length, tile, overlap):
    axis = TileAxis(length, tile, overlap)
    total = np.zeros(axis.padded)
    for index, start in enumerate(axis.starts):
        assert start >= 0 and start + tile <= axis.padded
        total[start : start + tile] += axis.weights(index)
    np.testing.assert_allclose(total, 1, atol=1e-6)


def test_weights_fall_to_nothing_at_edges_within_the_scene():
    axis = TileAxis(320, 64, 32)
    weights = axis.weights(3)
    assert weights[0] < 0.001 and weights[-1] < 0.001
    assert weights[31] > 0.99
    # A step between neighbours is what would show as a seam.
    assert np.abs(np.diff(weights)).max() < 0.05


def test_no_overlap_has_no_ramp():
    assert (edge_ramp(8, 0) == 1).all()


def test_what_is_finished_no_later_tile_reaches():
    axis = TileAxis(97, 32, 8)
    for index in range(len(axis) - 1):
        assert axis.finished(index) == axis.starts[index + 1]
    assert axis.finished(len(axis) - 1) == 97


def test_first_tile_that_reaches_a_pixel():
    axis = TileAxis(100, 32, 16)  # starts 0, 16, 32, …
    assert axis.first_reaching(31) == 0
    assert axis.first_reaching(32) == 1


def test_overlap_as_large_as_the_tile_is_refused():
    with pytest.raises(ValueError, match="32 pixels cannot overlap by 32"):
        TileAxis(100, 32, 32)
