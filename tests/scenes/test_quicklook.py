from __future__ import annotations

import numpy as np

from mmcloudseg.scenes.quicklook import ground, ground_range


def test_ground_leaves_clouds_out():
    bands = np.full((3, 10, 10), 500.0)
    bands[:, :4] = 9000.0
    bands[:, 9, 9] = np.nan
    chosen = ground(bands)
    assert not chosen[:4].any() and chosen[4:9].all() and not chosen[9, 9]
    assert not ground(np.full((3, 2, 2), np.nan)).any()


def test_the_ground_is_seen_below_a_closed_cloud_cover():
    rng = np.random.default_rng(0)
    cloud, clear = rng.uniform(3000, 7000, (3, 20, 20)), rng.uniform(700, 1100, (3, 20, 20))
    shown = ground_range(cloud, clear).apply(clear)
    assert np.percentile(shown, 90) > 150 and np.percentile(shown, 10) < 50
    assert ground_range(cloud, clear).apply(cloud).min() > shown.max()
    alone = ground_range(cloud, None)
    assert np.array_equal(alone.apply(cloud), ground_range(cloud, cloud + 9000).apply(cloud))
