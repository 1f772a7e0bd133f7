from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmcloudseg.rasters.grids import resample
from mmcloudseg.scenes.resampling import RowResampler
from mmcloudseg.scenes.tiles import TileAxis


def run(whole, valid, scale, out_shape, tile=32, overlap=16, begin=0):
    rows = TileAxis(whole.shape[1], tile, overlap)
    resampler = RowResampler(rows, whole.shape[1:], out_shape, scale)
    made = {}
    for index in range(rows.first_reaching(resampler.first_source_row(begin)), len(rows)):
        start, end = rows.starts[index], rows.finished(index)
        made[index] = resampler.feed(
            index, start, whole[:, start:end], valid[start:end], index >= begin
        )
    return resampler, made


@pytest.mark.parametrize("scale", [0.3, 0.5, 1.0, 0.1])
def test_strips_equal_torch_on_the_whole(scale):
    whole = torch.randn(3, 200, 150, generator=torch.Generator().manual_seed(0))
    valid = np.random.default_rng(0).random((200, 150)) > 0.5
    shape = round(200 * scale), round(150 * scale)
    _, made = run(whole, valid, scale, shape)
    strips = [strip for strip in made.values() if strip is not None]
    # In double: in single precision torch places the pixels themselves less exactly.
    fine = whole[None].double()
    expected = F.interpolate(fine, shape, mode="bilinear", align_corners=False)[0]
    assert (torch.cat([maps for maps, _ in strips], 1) - expected).abs().max() < 1e-5
    assert (np.concatenate([mark for _, mark in strips]) == resample(valid, shape)).all()


def test_ground_that_is_no_whole_number_of_map_pixels_is_covered():
    whole = torch.arange(101.0).view(1, 101, 1).expand(1, 101, 101)
    _, made = run(whole, np.ones((101, 101), bool), 0.3, (31, 31))
    maps = torch.cat([strip[0] for strip in made.values() if strip is not None], 1)
    centres = (torch.arange(31) + 0.5) / 0.3 - 0.5
    assert torch.allclose(maps[0, :, 0], centres.clamp(max=100), atol=1e-4)


@pytest.mark.parametrize("scale", [0.3, 1.0])
def test_begun_later_strips_are_the_same(scale):
    whole = torch.randn(2, 200, 40, generator=torch.Generator().manual_seed(0))
    valid = np.ones((200, 40), bool)
    shape = round(200 * scale), round(40 * scale)
    _, made = run(whole, valid, scale, shape)
    _, later = run(whole, valid, scale, shape, begin=5)
    assert later[min(later)] is None or min(later) == 5  # rows before are only kept
    for index in range(5, len(made)):
        assert torch.equal(later[index][0], made[index][0])
