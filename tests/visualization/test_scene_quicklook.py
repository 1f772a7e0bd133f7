from __future__ import annotations

import numpy as np

from mmcloudseg.visualization.scene_quicklook import ground, rgb_bands


def test_bands_by_name():
    assert rgb_bands(["blue", "green", "red", "nir"], 4) == [2, 1, 0]
    assert rgb_bands(["Red", "Green", "Blue", "NIR"], 4) == [0, 1, 2]
    assert rgb_bands(["B01", "B02", "B03", "B04"], 4) == [3, 2, 1]
    assert rgb_bands(["band 1", "band 2", "band 3"], 3) == [2, 1, 0]
    assert rgb_bands(["pan"], 1) == [0, 0, 0]


def test_ground_leaves_clouds_out():
    bands = np.full((3, 10, 10), 500.0)
    bands[:, :4] = 9000.0
    bands[:, 9, 9] = np.nan
    chosen = ground(bands)
    assert not chosen[:4].any() and chosen[4:9].all() and not chosen[9, 9]
    assert not ground(np.full((3, 2, 2), np.nan)).any()
