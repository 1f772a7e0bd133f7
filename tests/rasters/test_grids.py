import numpy as np
import pytest
import torch
import torch.nn.functional as F
from affine import Affine
from rasterio.crs import CRS

from mmcloudseg.rasters.grids import (
    GridWindow,
    RasterGrid,
    is_whole,
    pixel_centre_index,
    resample,
    scaled_shape,
)


def test_ten_fine_pixels_over_three_coarse_ones():
    assert pixel_centre_index(3, 10).tolist() == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2]
    assert pixel_centre_index(10, 3).tolist() == [1, 5, 8]


@pytest.mark.parametrize(("source", "target"), [(90, 300), (300, 90), (48, 160), (77, 257)])
def test_equals_nearest_exact_of_torch(source, target):
    values = torch.arange(source, dtype=torch.float64).view(1, 1, source)
    expected = F.interpolate(values, size=target, mode="nearest-exact").flatten().long()
    assert pixel_centre_index(source, target).tolist() == expected.tolist()


def test_up_and_down_is_exact_for_every_pair_of_sizes():
    for fine in range(1, 70):
        for coarse in range(1, fine + 1):
            up, down = pixel_centre_index(coarse, fine), pixel_centre_index(fine, coarse)
            assert (up[down] == np.arange(coarse)).all(), (coarse, fine)
            # A flip between the two, as augmentation does it.
            assert (up[::-1][down] == np.arange(coarse)[::-1]).all(), (coarse, fine)


def test_resample_moves_rows_and_columns_apart():
    small = np.arange(6).reshape(2, 3)
    large = resample(small, (4, 3))
    assert large.tolist() == [[0, 1, 2], [0, 1, 2], [3, 4, 5], [3, 4, 5]]
    bands = np.stack([small, small + 10], axis=-1)
    assert resample(bands, (4, 3))[3, 2].tolist() == [5, 15]


def test_scaled_shape_and_whole_numbers():
    assert scaled_shape((300, 257), 0.3) == (90, 77)
    assert is_whole(160 * 0.3) and is_whole(10 * 0.3) and not is_whole(165 * 0.3)


def test_a_scaled_grid_covers_all_of_the_ground():
    grid = RasterGrid(CRS.from_epsg(32632), Affine(3, 0, 500, 0, -3, 900), 500, 701)
    coarse = grid.scaled(0.3)
    assert coarse.shape == (150, 211) and grid.scaled(1) == grid
    assert coarse.transform.almost_equals(Affine(10, 0, 500, 0, -10, 900))


def test_window_on_a_coarse_grid_is_the_crop_of_the_whole():
    coarse = np.arange(12 * 9).reshape(12, 9)
    whole = resample(coarse, (40, 30))
    part = GridWindow((40, 30), (7, 3, 11, 20))
    window, rows, columns = part.on((12, 9))
    values = coarse[window.toslices()]
    assert (values[rows[:, None], columns] == whole[7:18, 3:23]).all()
    assert values.shape == (4, 6)
    assert part.inside() and not GridWindow((40, 30), (30, 0, 11, 5)).inside()
