"""Units, scales and offsets."""

import numpy as np
import pytest
import rasterio

from mmcloudseg.rasters.images import ImageRules
from mmcloudseg.rasters.radiometry import Radiometry
from mmcloudseg.rasters.values import read_filled
from mmcloudseg.utils.errors import DataError

WINDOW = rasterio.windows.Window(0, 0, 2, 1)


@pytest.fixture
def read(write_raster):
    """Values of a raster of 1 x 2 pixels, given its numbers, tags and what is stated."""

    def write_and_read(numbers, tags=(1.0, 0.0), modality="optical", **stated):
        path = write_raster("a.tif", np.array([[numbers]], dtype=np.float32))
        with rasterio.open(path, "r+") as file:
            file.scales, file.offsets = [tags[0]], [tags[1]]
        with rasterio.open(path) as file:
            rules = ImageRules(modality, radiometry=Radiometry(modality, **stated))
            return read_filled(rules.open(file), WINDOW)[0][0, 0].tolist()

    return write_and_read


@pytest.mark.parametrize(
    ("numbers", "tags", "stated", "expected"),
    [
        ([0.1, 0.5], (1, 0), dict(unit="reflectance"), [1000, 5000]),
        ([10, 50], (1, 0), dict(unit="percent"), [1000, 5000]),
        ([2000, 6000], (1, 0), dict(offset=-1000), [1000, 5000]),
        ([2000, 6000], (1e-4, -0.1), {}, [1000, 5000]),
        ([2000, 6000], (1e-4, -0.1), dict(unit="reflectance_x10000"), [1000, 5000]),
        ([2000, 6000], (1e-4, -0.1), dict(unit="reflectance"), [1000, 5000]),
        ([2000, 6000], (1e-4, -0.1), dict(offset=-1000), [1000, 5000]),
        ([10000, 20000], (2.75e-5, -0.2), dict(unit="reflectance"), [750, 3500]),
        ([1000, 5000], (1, 0), {}, [1000, 5000]),
    ],
)
def test_optical(read, numbers, tags, stated, expected):
    assert read(numbers, tags, **stated) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("numbers", "tags", "stated", "expected"),
    [
        ([0.1, 0.01], (1, 0), dict(unit="linear"), [-10, -20]),
        ([0.1, 0.01], (1, 0), dict(unit="amplitude"), [-20, -40]),
        ([-1000, -2000], (1, 0), dict(unit="db_x100"), [-10, -20]),
        ([-1000, -2000], (0.01, 0), dict(unit="dB_x100"), [-10, -20]),
        ([-1000, -2000], (0.01, 0), {}, [-10, -20]),
        ([-10, -20], (1, 0), dict(unit="dB"), [-10, -20]),
    ],
)
def test_sar(read, numbers, tags, stated, expected):
    assert read(numbers, tags, "sar", **stated) == pytest.approx(expected, rel=1e-6)


def test_whole_numbers_stay_whole(read):
    assert read([1001, 5003], (1e-4, -0.1), unit="reflectance_x10000") == [1.0, 4003.0]


def test_no_power_is_no_data(read):
    """It is filled with the mean of the band."""
    assert read([0.0, 0.1], modality="sar", unit="linear") == pytest.approx([-10, -10])
    assert read([-1.0, 0.1], modality="sar", unit="linear") == pytest.approx([-10, -10])


@pytest.mark.parametrize(
    ("tags", "stated", "named"),
    [
        ((1e-4, -0.1), dict(scale=1e-4, offset=0), "--offset"),
        ((1e-4, -0.1), dict(scale=1.0), "--scale"),
        ((2.75e-5, -0.2), dict(unit="reflectance_x10000"), "unit='reflectance_x10000'"),
        ((2.75e-5, -0.2), {}, "--optical-unit"),
    ],
)
def test_contradictions_are_named(read, tags, stated, named):
    with pytest.raises(DataError, match=rf"a\.tif: .*{tags[0]:g}[\s\S]*{named}"):
        read([1, 2], tags, **stated)
