"""What heads take from the backbone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from mmseg.models.decode_heads import FCNHead

from mmcloudseg.models import CloudRemovalHead
from mmcloudseg.models.segmentors.heads import with_bands, with_channels

BACKBONE = SimpleNamespace(out_channels=[8, 16, 32, 64, 9, 17, 33, 65], bands=dict(optical=4))


@pytest.mark.parametrize("made", ["CloudRemovalHead", "mmseg.CloudRemovalHead", CloudRemovalHead])
def test_types_are_names_or_classes(made):
    head = with_bands(with_channels(dict(type=made, in_index=[4, 5]), BACKBONE), BACKBONE)
    assert head == dict(type=made, in_index=[4, 5], in_channels=[9, 17], out_bands=4)


@pytest.mark.parametrize("made", ["FCNHead", FCNHead])
def test_other_heads(made):
    assert with_bands(dict(type=made), BACKBONE) == dict(type=made)
    assert with_channels(dict(type=made, in_index=2), BACKBONE)["in_channels"] == 32
    with pytest.raises(ValueError, match="FCNHead needs in_index, or in_channels"):
        with_channels(dict(type=made), BACKBONE)
