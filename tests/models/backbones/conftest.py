"""Every family of streams, narrow and shallow, so that all of them can be tried on a CPU."""

from __future__ import annotations

import importlib.util

import pytest

HEADS = [1, 2, 3, 4]
FAMILIES = {
    "mit": dict(name="mit-b0", embed_dims=16, num_layers=[1, 1, 1, 1]),
    "resnet": dict(name="resnet-18", base_channels=16, stem_channels=16),
    "resnet-v1c": dict(name="resnet-50-v1c", base_channels=8, stem_channels=16),
    "resnet-d8": dict(
        name="resnet-18-v1c",
        base_channels=8,
        stem_channels=8,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
    ),
    "resnext": dict(name="resnext-50", base_channels=16, stem_channels=16, groups=4),
    "swin": dict(name="swin-t", embed_dims=24, depths=[2, 2, 2, 2], num_heads=HEADS),
    "mscan": dict(name="mscan-t", embed_dims=[8, 16, 24, 32], depths=[1, 1, 1, 1]),
    "twins-svt": dict(name="twins-svt-s", embed_dims=[16, 32, 48, 64], depths=[2, 2, 2, 2]),
    "twins-pcpvt": dict(name="twins-pcpvt-s", embed_dims=[16, 32, 80, 64], depths=[1, 2, 1, 1]),
    "convnext": dict(type="TIMMBackbone", model_name="convnext_atto"),
    "convnextv2": dict(type="TIMMBackbone", model_name="convnextv2_atto"),
    "regnet": dict(type="TIMMBackbone", model_name="regnety_002"),
}
_HAS_TIMM = (
    importlib.util.find_spec("timm") is not None
    and importlib.util.find_spec("torchvision") is not None
)
_NEEDS_TIMM = pytest.mark.skipif(
    not _HAS_TIMM, reason="timm (optional: requirements/optional.txt) is not installed"
)


@pytest.fixture(
    params=[
        pytest.param(name, marks=_NEEDS_TIMM if config.get("type") == "TIMMBackbone" else ())
        for name, config in FAMILIES.items()
    ]
)
def stream(request):
    """A backbone's config, one for every family."""
    return dict(FAMILIES[request.param])
