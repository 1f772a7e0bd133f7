from __future__ import annotations

import numpy as np

from mmcloudseg.clouds import CloudSettings
from mmcloudseg.visualization import cloud_gallery

SETTINGS = CloudSettings(gsd_m=3.0, wavelengths_um=(0.49, 0.565, 0.665, 0.865))


def test_a_row_for_each_cover_and_a_column_for_each_kind(monkeypatch):
    drawn = []
    monkeypatch.setattr(cloud_gallery, "draw_rows", lambda rows, *_: drawn.extend(rows))
    clear = np.random.default_rng(0).integers(200, 2000, (4, 60, 70)).astype(np.uint16)
    cloud_gallery.draw_cloud_gallery(
        clear,
        (2, 1, 0),
        SETTINGS,
        covers=(0.0, 0.9),
        kinds=("thick", "fog"),
    )
    assert [row.title for row in drawn] == ["0% of the image", "90% of the image"]
    for row in drawn:
        assert list(row.panels) == ["clear", "thick", "fog"]
        assert all(panel.shape == (60, 70, 3) for panel in row.panels.values())
    none, most = (row.panels for row in drawn)
    np.testing.assert_array_equal(none["thick"], none["clear"])
    assert most["thick"].mean() > most["fog"].mean() > most["clear"].mean() + 10


def test_the_picture():
    clear = np.full((4, 60, 70), 500, np.uint16)
    picture = cloud_gallery.draw_cloud_gallery(clear, (2, 1, 0), SETTINGS, covers=(0.5,))
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
