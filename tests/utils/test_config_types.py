from __future__ import annotations

import pytest
from mmseg.registry import TRANSFORMS

from mmcloudseg.datasets.transforms import LoadRasters
from mmcloudseg.utils.config_types import type_class, type_name


@pytest.mark.parametrize("made", ["LoadRasters", "mmseg.LoadRasters", LoadRasters])
def test_a_name_a_scoped_name_and_a_class_are_one_type(made):
    config = dict(type=made)
    assert type_name(config) == "LoadRasters"
    assert type_class(config, TRANSFORMS) is LoadRasters


def test_no_type_and_an_unknown_one():
    assert type_name({}) == ""
    assert type_class(dict(type="LoadNothing"), TRANSFORMS) is None
