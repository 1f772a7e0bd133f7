"""Codes of labels."""

import numpy as np
import pytest

from mmcloudseg.datasets.label_codes import check_indices, class_indices, readable_codes
from mmcloudseg.utils.errors import DataError


def test_text_keys_and_nan():
    codes = readable_codes({"10": 0, "20.0": 1, 0: 255, float("nan"): 255, 2.5: 2})
    assert codes == {10: 0, 20: 1, 0: 255, 2.5: 2}


@pytest.mark.parametrize(
    ("codes", "named"),
    [
        ({"water": 0}, "'water'"),
        ({1: 0, "1": 1}, "twice"),
        ({float("nan"): 3}, "NaN .* 3"),
        ({1: -1}, "code 1 .*-1"),
        ({1: 300}, "code 1 .*300"),
        ({1: 0.5}, "code 1 .*0.5"),
    ],
)
def test_codes_that_cannot_be_meant(codes, named):
    with pytest.raises(ValueError, match=f"label_codes: .*{named}"):
        readable_codes(codes)


def test_indices_beyond_the_classes():
    check_indices({1: 0, 2: 1, 3: 255}, 2)
    with pytest.raises(ValueError, match=r"label_codes: \{3: 2\} .* 2 classes.*0 to 1"):
        check_indices({1: 0, 3: 2}, 2)


def test_many_unknown_codes_are_counted():
    with pytest.raises(DataError, match=r"^x\.tif: .* 9 and 10 more; .* 30.*label_codes"):
        class_indices(np.arange(20), {30: 0}, "x.tif")
