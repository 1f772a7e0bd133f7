"""What heads take from the backbone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from mmseg.models.decode_heads import FCNHead
from mmseg.registry import MODELS

from mmcloudseg.models import CloudRemovalHead, UNetDecodeHead
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
    with pytest.raises(ValueError, match=r"FCNHead: .*in_index or in_channels"):
        with_channels(dict(type=made), BACKBONE)


class Follower(UNetDecodeHead):
    """Takes what its parent takes."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)


@pytest.mark.parametrize(
    ("made", "indices", "channels"),
    [
        ("CloudRemovalHead", [4, 5, 6, 7], [9, 17, 33, 65]),
        ("UNetDecodeHead", [0, 1, 2, 3], [8, 16, 32, 64]),
        (Follower, [0, 1, 2, 3], [8, 16, 32, 64]),
    ],
)
def test_the_default_in_index_of_a_head_is_found(made, indices, channels):
    head = with_channels(dict(type=made), BACKBONE)
    assert (head["in_index"], head["in_channels"]) == (indices, channels)


def test_a_model_whose_heads_name_no_features(small_models):
    """CloudSeg's shipped heads read the features that their classes name."""
    expected = MODELS.build(small_models.student).state_dict()
    for head in ("decode_head", "auxiliary_head"):
        del small_models.student[head]["in_index"]
    found = MODELS.build(small_models.student).state_dict()
    assert {k: v.shape for k, v in found.items()} == {k: v.shape for k, v in expected.items()}
