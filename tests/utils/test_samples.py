import pytest
from mmseg.structures import SegDataSample

from mmcloudseg.utils.samples import sample_name, sample_stem


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
