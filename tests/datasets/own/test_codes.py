import numpy as np
import pytest
from own_files import write

from mmcloudseg.datasets.cloud_masks import CloudMaskRule
from mmcloudseg.datasets.own.codes import Codes, count_codes, label_legend, mask_rule
from mmcloudseg.utils.errors import DataError


def codes(*found, nodata=()):
    return Codes(dict.fromkeys(map(float, found), 5), frozenset(nodata),
                 all(float(code).is_integer() for code in found))  # fmt: skip


def test_pixels_are_counted_without_nodata_and_nan(tmp_path):
    write(tmp_path / "a.tif", np.array([[1, 2], [2, 9]], np.uint8), nodata=9)
    write(tmp_path / "b.tif", np.array([[1, np.nan], [2, 2]], np.float32))
    found = count_codes([str(tmp_path / "a.tif"), str(tmp_path / "b.tif")])
    assert found.pixels == {1: 2, 2: 4} and found.nodata == {9} and found.whole
    assert found.shares() == "1 33.3%, 2 66.7%"


def test_worldcover_gives_names_and_colours():
    legend = label_legend(codes(0, 10, 80, 95), None)
    assert legend.classes == ("tree cover", "permanent water bodies", "mangroves")
    assert legend.palette[1] == (0, 100, 200)
    assert legend.codes == {0: 255, 10: 0, 80: 1, 95: 2, 255: 255} and not legend.doubt


def test_other_codes_are_numbered_and_their_names_asked_for():
    legend = label_legend(codes(0, 1, 7, nodata=[99]), None)
    assert legend.classes == ("class 0", "class 1", "class 7")
    assert legend.codes == {0: 0, 1: 1, 7: 2, 99: 255, 255: 255}
    assert "--classes" in legend.doubt and "code 0" in legend.doubt
    assert len(set(legend.palette)) == 3


def test_pairs_merge_codes_and_ignore_those_without_a_name():
    legend = label_legend(codes(10, 20, 30, 70), {10: "forest", 20: "open", 30: "open"})
    assert legend.classes == ("forest", "open")
    assert legend.codes == {10: 0, 20: 1, 30: 1, 70: 255, 255: 255}
    assert legend.palette[0] == (0, 100, 0)


@pytest.mark.parametrize(
    ("found", "stated", "text"),
    [
        (codes(1, 2), ["one"], "1 names for the 2 codes"),
        (codes(1, 2), {3: "x"}, r"no label holds \[3\]"),
        (codes(*range(100)), None, "100 different values"),
        (codes(0.5, 1.5), None, "whole numbers"),
    ],
)
def test_what_is_no_legend_is_refused(found, stated, text):
    with pytest.raises(DataError, match=text):
        label_legend(found, stated)


@pytest.mark.parametrize(
    ("found", "settings", "doubtful"),
    [
        (codes(0, 1), {}, False),
        (codes(2, 4, 5, 8, 9), dict(cloud_mask_codes="s2_scl"), False),
        (codes(0, 1, 2, 3), dict(cloud_mask_codes="four_classes"), True),
        (codes(0, 1024, 2048), dict(cloud_mask_codes="s2_qa60"), False),
        (codes(21824, 22280, 55052), dict(cloud_mask_codes="landsat_qa"), True),
        (codes(*range(101)), dict(cloud_mask_threshold=40), True),
        (codes(0.1, 0.25, 0.9), dict(cloud_mask_threshold=0.4), True),
        (codes(0, 255), dict(cloud_mask_codes=dict(clear=[0], cloud=[255])), True),
    ],
)
def test_what_cloud_masks_mean(found, settings, doubtful):
    rule, doubt = mask_rule(found, "masks/a.tif")
    assert rule == settings and bool(doubt) == doubtful
    CloudMaskRule(rule.get("cloud_mask_codes"), rule.get("cloud_mask_threshold"))


def test_masks_that_are_neither_codes_nor_probabilities_are_refused():
    with pytest.raises(DataError, match=r"masks/a\.tif.*-3 to 96.*--without cloud-mask"):
        mask_rule(codes(*range(-3, 97)), "masks/a.tif")
