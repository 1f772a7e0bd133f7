from __future__ import annotations

import numpy as np
import pytest
import torch

from mmcloudseg.scenes.blending import RowBlender
from mmcloudseg.scenes.tiles import TileAxis


def blend(whole, valid, tile, overlap, first_row=0, change=None):
    """Cut an image into tiles and put them together again."""
    height, width = whole.shape[1:]
    rows, columns = TileAxis(height, tile, overlap), TileAxis(width, tile, overlap)
    padded = torch.zeros(len(whole), rows.padded, columns.padded)
    padded[:, :height, :width] = whole
    seen = np.zeros((rows.padded, columns.padded), dtype=bool)
    seen[:height, :width] = valid
    blender = RowBlender(rows, columns, len(whole), torch.device("cpu"), first_row)
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
