"""What the values of cloud masks mean."""

import numpy as np
import pytest

from mmcloudseg.datasets.cloud_masks import LEGENDS, CloudMaskRule

NONE = np.zeros((1, 4), bool)


def read(values, **rule):
    mask, problem = CloudMaskRule(**rule).apply(np.array([values]), NONE, "m.tif")
    return mask[0].tolist(), problem


@pytest.mark.parametrize(
    ("values", "rule", "expected"),
    [
        ([0, 1, 1, 0], {}, [0, 1, 1, 0]),
        ([False, True, True, False], {}, [0, 1, 1, 0]),
        ([0, 255, 0, 255], dict(codes=dict(clear=[0], cloud=[255])), [0, 1, 0, 1]),
        ([4, 9, 0, 10], dict(codes="s2_scl"), [0, 1, 255, 1]),
        ([0, 1, 2, 3], dict(codes="four_classes"), [0, 1, 1, 1]),
        ([0, 3, 99, 0], dict(codes="nonzero"), [0, 1, 1, 0]),
        ([21824, 22280, 1, 54596], dict(codes="landsat_qa"), [0, 1, 255, 1]),
        ([0, 1024, 2048, 1], dict(codes="s2_qa60"), [0, 1, 1, 0]),
        ([0.1, 0.4, 0.6, 1.0], dict(threshold=0.4), [0, 0, 1, 1]),
        ([10, 40, 60, 100], dict(threshold=40), [0, 0, 1, 1]),
    ],
)
def test_rules(values, rule, expected):
    assert read(values, **rule) == (expected, None)


@pytest.mark.parametrize(
    ("values", "rule", "named"),
    [
        ([4, 4, 4, 4], {}, ["4 in 100.0%", "0 for clear", "cloud_mask_codes"]),
        ([255, 255, 255, 255], {}, ["255 in 100.0%"]),
        ([0.1, 0.5, 0.7, 0.9], {}, ["4 values from 0.1 to 0.9", "cloud_mask_threshold"]),
        ([0, 255, 0, 255], {}, ["255 in 50.0%", "clear=[…]"]),
        ([0.0, 0.5, 0.6, 1.0], dict(threshold=50), ["threshold=50", "none above 1"]),
        ([0, 50, 60, 100], dict(threshold=0.5), ["cloud_mask_threshold=0.5", "0 to 1", "50, 60"]),
    ],
)
def test_values_that_fit_no_rule_are_unknown_and_told(values, rule, named):
    mask, problem = read(values, **rule)
    strange = [m for v, m in zip(values, mask, strict=True) if v not in (0, 1)]
    assert set(strange) == {255}
    assert problem.startswith("m.tif: ")
    assert all(text in problem for text in named), problem


def test_declared_nodata_is_unknown():
    missing = np.array([[False, True, False, False]])
    mask, problem = CloudMaskRule().apply(np.array([[0, 99, 1, 0]]), missing, "m.tif")
    assert mask.tolist() == [[0, 255, 1, 0]] and problem is None


@pytest.mark.parametrize(
    "rule",
    [
        dict(codes="sentinel"),
        dict(codes=dict(clear=[0, 1], cloud=[1])),
        dict(codes=dict(clouds=[1])),
        dict(threshold=120),
        dict(codes="s2_scl", threshold=0.4),
    ],
)
def test_wrong_rules(rule):
    with pytest.raises(ValueError, match=r"cloud_mask_(codes|threshold) must be"):
        CloudMaskRule(**rule)


def test_no_code_has_two_meanings():
    for legend in LEGENDS.values():
        codes = [code for codes in legend.values() for code in codes]
        assert len(set(codes)) == len(codes)
