from __future__ import annotations

import numpy as np

from mmcloudseg.scenes.quicklook import ground


def test_ground_leaves_clouds_out():
    bands = np.full((3, 10, 10), 500.0)
    bands[:, :4] = 9000.0
    bands[:, 9, 9] = np.nan
    chosen = ground(bands)
    assert not chosen[:4].any() and chosen[4:9].all() and not chosen[9, 9]
    assert not ground(np.full((3, 2, 2), np.nan)).any()
