from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from mmcloudseg.rasters.grids import RasterGrid
from mmcloudseg.scenes.products import Product
from mmcloudseg.scenes.tiles import SceneLayout, TileAxis, edge_ramp


@pytest.mark.parametrize(
    ("length", "tile", "overlap"),
    [(100, 32, 16), (100, 32, 0), (97, 32, 8), (32, 32, 16), (20, 32, 16), (500, 64, 60)],
)
def test_weights_add_up_to_one(length, tile, overlap):
    axis = TileAxis(length, tile, overlap)
    total = np.zeros(axis.padded)
    for index, start in enumerate(axis.starts):
        assert start >= 0 and start + tile <= axis.padded
        total[start : start + tile] += axis.weights[index]
    np.testing.assert_allclose(total, 1, atol=1e-6)


def test_weights_fall_to_nothing_at_edges_within_the_scene():
    axis = TileAxis(320, 64, 32)
    weights = axis.weights[3]
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
    with pytest.raises(ValueError, match=r"32 .*overlap by 32: .*at least 0"):
        TileAxis(100, 32, 32)


def test_strips_of_a_layout():
    """Strips follow each other without gaps, whatever the grid."""
    grid = RasterGrid(None, Affine.identity(), 101, 50)
    layout = SceneLayout(grid, 0.3, 32, 16)
    on_map = Product("map", "uint8", 255, ("map",))
    on_optical = Product("cloud_free", "uint16", 65535, ("red",), optical_grid=True)
    for product, height in ((on_map, 31), (on_optical, 101)):
        strips = layout.strips(product)
        assert len(strips) == len(layout.rows)
        assert [begin for begin, _ in strips] == [0, *(end for _, end in strips[:-1])]
        assert strips[-1][1] == height == layout.grid(product).height


def test_the_row_of_tiles_to_resume_from():
    layout = SceneLayout(RasterGrid(None, Affine.identity(), 320, 32), 0.3, 32, 16)
    on_map = Product("map", "uint8", 255, ("map",))
    assert layout.first_row_for(0, [on_map]) == 0
    strip = 7
    first = layout.first_row_for(strip, [on_map])
    begin, _ = layout.strips(on_map)[strip]
    # The optical rows below the strip's first row are finished by that row of tiles or later.
    source = layout.down.low[begin]
    assert layout.rows.starts[first] <= source < layout.rows.starts[first] + 32
    assert first < strip  # rows before are shared by tiles above


def test_a_product_on_the_optical_grid_may_need_an_earlier_row_of_tiles():
    layout = SceneLayout(RasterGrid(None, Affine.identity(), 240, 32), 0.1, 32, 8)
    on_map = Product("map", "uint8", 255, ("map",))
    on_optical = Product("cloud_free", "uint16", 65535, ("red",), optical_grid=True)
    # Strip 4 of the map is made of rows from 104 on, where tile 3 ends; that of the optical grid
    # begins at row 96.
    assert layout.first_row_for(4, [on_map]) == 4
    assert layout.first_row_for(4, [on_map, on_optical]) == 3
