from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from affine import Affine

from mmcloudseg.rasters.grids import RasterGrid, resample
from mmcloudseg.scenes.blending import RowBlender, RowResampler
from mmcloudseg.scenes.tiles import SceneLayout


def layout_of(shape, tile, overlap, scale=1.0):
    return SceneLayout(RasterGrid(None, Affine.identity(), *shape), scale, tile, overlap)


def blend(whole, valid, tile, overlap, first_row=0, change=None):
    """Cut an image into tiles and put them together again."""
    height, width = whole.shape[1:]
    layout = layout_of((height, width), tile, overlap)
    rows, columns = layout.rows, layout.columns
    padded = torch.zeros(len(whole), rows.padded, columns.padded)
    padded[:, :height, :width] = whole
    seen = np.zeros((rows.padded, columns.padded), dtype=bool)
    seen[:height, :width] = valid
    blender = RowBlender(layout, len(whole), torch.device("cpu"), first_row)
    made, marks = [], []
    for row in range(first_row, len(rows)):
        top = rows.starts[row]
        for column, left in enumerate(columns.starts):
            part = padded[:, top : top + tile, left : left + tile]
            blender.add(column, part if change is None else change(part, row, column))
        blender.add_valid(0, seen[top : top + tile])
        maps, mark = blender.finish_row()
        made.append(maps)
        marks.append(mark)
    return torch.cat(made, 1), np.concatenate(marks)


@pytest.mark.parametrize(("tile", "overlap"), [(32, 16), (32, 0), (40, 30), (200, 50)])
def test_tiles_of_an_image_give_the_image(tile, overlap):
    whole = torch.randn(3, 101, 77, generator=torch.Generator().manual_seed(0))
    valid = np.random.default_rng(0).random((101, 77)) > 0.3
    made, marks = blend(whole, valid, tile, overlap)
    assert made.shape == whole.shape
    assert (made - whole).abs().max() < 1e-5
    assert (marks == valid).all()


def test_tiles_that_differ_meet_without_a_step():
    whole = torch.zeros(1, 128, 128)
    made, _ = blend(
        whole, True, 64, 32, change=lambda part, row, column: part + (row + column) % 2
    )
    assert made.min() < 0.01 and made.max() > 0.99
    for axis in (1, 2):
        assert made.diff(dim=axis).abs().max() < 0.06


def test_begun_later_the_rows_that_count_are_the_same():
    whole = torch.randn(2, 120, 50, generator=torch.Generator().manual_seed(0))
    made, _ = blend(whole, True, 32, 16)
    later, _ = blend(whole, True, 32, 16, first_row=2)  # from row 32, whole from 48
    assert torch.equal(later[:, 16:], made[:, 48:])


def run(whole, valid, scale, tile=32, overlap=16, begin=0):
    """Feed the finished rows of an image; the map's strips by row of tiles."""
    layout = layout_of(whole.shape[1:], tile, overlap, scale)
    rows, resampler = layout.rows, RowResampler(layout)
    made = {}
    first_source_row = layout.first_source_row(*layout.map_strips[begin])
    for index in range(rows.first_reaching(first_source_row), len(rows)):
        span = slice(rows.starts[index], rows.finished(index))
        made[index] = resampler.feed(index, whole[:, span], valid[span], index >= begin)
    return made


@pytest.mark.parametrize("scale", [0.3, 0.5, 1.0, 0.1])
def test_strips_equal_torch_on_the_whole(scale):
    whole = torch.randn(3, 200, 150, generator=torch.Generator().manual_seed(0))
    valid = np.random.default_rng(0).random((200, 150)) > 0.5
    shape = round(200 * scale), round(150 * scale)
    made = run(whole, valid, scale)
    strips = [strip for strip in made.values() if strip is not None]
    # In double: in single precision torch places the pixels themselves less exactly.
    fine = whole[None].double()
    expected = F.interpolate(fine, shape, mode="bilinear", align_corners=False)[0]
    assert (torch.cat([maps for maps, _ in strips], 1) - expected).abs().max() < 1e-5
    assert (np.concatenate([mark for _, mark in strips]) == resample(valid, shape)).all()


def test_ground_that_is_no_whole_number_of_map_pixels_is_covered():
    whole = torch.arange(101.0).view(1, 101, 1).expand(1, 101, 101)
    made = run(whole, np.ones((101, 101), bool), 0.3)
    maps = torch.cat([strip[0] for strip in made.values() if strip is not None], 1)
    centres = (torch.arange(31) + 0.5) / 0.3 - 0.5
    assert torch.allclose(maps[0, :, 0], centres.clamp(max=100), atol=1e-4)


@pytest.mark.parametrize("scale", [0.3, 1.0])
def test_begun_later_strips_are_the_same(scale):
    whole = torch.randn(2, 200, 40, generator=torch.Generator().manual_seed(0))
    valid = np.ones((200, 40), bool)
    made = run(whole, valid, scale)
    later = run(whole, valid, scale, begin=5)
    assert later[min(later)] is None or min(later) == 5  # rows before are only kept
    for index in range(5, len(made)):
        assert torch.equal(later[index][0], made[index][0])
