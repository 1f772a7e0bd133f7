import math

import numpy as np

from mmcloudseg.clouds import cloud_cover


def test_pixels_that_are_neither_cloudy_nor_clear_do_not_count():
    mask = np.array([[1, 0, 0, 255], [0, 255, 7, 255]], np.uint8)
    assert cloud_cover(mask) == 0.25
    assert cloud_cover(mask == 1) == 0.125
    assert math.isnan(cloud_cover(np.full((2, 2), 255, np.uint8)))
