import pytest
from mmseg.structures import SegDataSample

from mmcloudseg.utils.errors import DataError
from mmcloudseg.utils.samples import SampleFiles, sample_name, sample_stem


@pytest.mark.parametrize(
    ("metainfo", "name", "stem"),
    [
        (dict(sample_name="fall/s0", img_path="x/y.tif"), "fall/s0", "fall_s0"),
        (dict(sample_name="fall_1.5_m"), "fall_1.5_m", "fall_1.5_m"),
        (dict(img_path="a\\b\\c.tif"), "a\\b\\c.tif", "c"),
        ({}, "sample", "sample"),
    ],
)
def test_a_sample_is_named_by_its_dataset_or_else_by_its_file(metainfo, name, stem):
    for sample in (metainfo, SegDataSample(metainfo=metainfo)):
        assert sample_name(sample) == name
        assert sample_stem(sample) == stem


def sample(image, dataset_name="north"):
    return dict(sample_name="a", img_path=image, dataset_name=dataset_name)


def test_each_data_set_has_a_folder_where_there_are_several(tmp_path):
    files = SampleFiles(tmp_path, by_dataset=True)
    assert files.path(sample("1"), ".tif") == tmp_path / "north" / "a.tif"
    assert files.path(sample("2", "south"), ".tif") == tmp_path / "south" / "a.tif"
    assert SampleFiles(tmp_path, by_dataset=False).path(sample("1"), ".png") == tmp_path / "a.png"


def test_no_two_images_get_the_same_file(tmp_path):
    files = SampleFiles(tmp_path, by_dataset=False)
    assert files.path(sample("1.tif"), ".png") == files.path(sample("1.tif"), ".png")
    with pytest.raises(DataError, match=r"2\.tif.*a\.png.*1\.tif.*dataset_name"):
        files.path(sample("2.tif", "south"), ".png")
