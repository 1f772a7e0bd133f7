import numpy as np
import pytest
from own_files import write

from mmcloudseg.datasets.own.images import look_at_images
from mmcloudseg.utils.errors import DataError

RNG = np.random.default_rng(0)


def pixels(low=200, high=4000, bands=4):
    return RNG.integers(low, high, (bands, 32, 32)).astype(np.uint16)


def test_scale_tags_count_as_the_unit(tmp_path):
    write(tmp_path / "a.tif", pixels(), scales=[1e-4] * 4, offsets=[-0.1] * 4)
    images = look_at_images([str(tmp_path / "a.tif")], "optical")
    assert images.unit.name == "reflectance"
    assert images.tagged == pytest.approx((1e-4, -0.1)) and images.offset is None


def test_names_of_bands(tmp_path):
    write(tmp_path / "a.tif", pixels(), descriptions=["B02", "B03", "B04", "B08"])
    path = str(tmp_path / "a.tif")
    assert look_at_images([path], "optical").names == ("B02", "B03", "B04", "B08")
    stated = look_at_images([path], "optical", names=["blue", "green", "red", "nir"])
    assert stated.names == ("blue", "green", "red", "nir")
    with pytest.raises(DataError, match=r"a\.tif: has 4 bands, but 2 names"):
        look_at_images([path], "optical", names=["blue", "green"])


@pytest.mark.parametrize(
    ("low", "offset", "found"), [(1050, -1000, "is still in"), (200, 0, "has been taken away")]
)
def test_the_offset_of_sentinel2_is_told_by_the_darkest_value(tmp_path, low, offset, found):
    write(tmp_path / "a.tif", pixels(low), tags=dict(PROCESSING_BASELINE="05.09"))
    images = look_at_images([str(tmp_path / "a.tif")], "optical")
    assert images.offset == offset and found in images.notes[0]


def test_an_offset_that_nothing_but_values_tells_is_noted_only(tmp_path):
    write(tmp_path / "a.tif", pixels(1050))
    images = look_at_images([str(tmp_path / "a.tif")], "optical")
    assert images.offset is None and "offset=-1000" in images.notes[0]


def test_files_of_a_modality_have_to_be_alike(tmp_path):
    write(tmp_path / "a.tif", pixels())
    write(tmp_path / "b.tif", pixels(bands=3))
    with pytest.raises(DataError, match=r"b\.tif: bands 3.*a\.tif: bands 4"):
        look_at_images([str(tmp_path / name) for name in ("a.tif", "b.tif")], "optical")


def test_empty_images_tell_nothing(tmp_path):
    write(tmp_path / "a.tif", np.zeros((2, 8, 8), np.float32))
    with pytest.raises(DataError, match=r"a\.tif.*hold an image"):
        look_at_images([str(tmp_path / "a.tif")], "sar")
    write(tmp_path / "b.tif", RNG.normal(-10, 2, (2, 8, 8)).astype(np.float32))
    both = [str(tmp_path / name) for name in ("a.tif", "b.tif")]
    assert look_at_images(both, "sar").unit.name == "db"
