from __future__ import annotations

import pytest
import torch
from mmseg.registry import MODELS

from mmcloudseg.models.backbones.pretrained import adapt_first_conv

STREAM = dict(name="mit-b0", embed_dims=16, num_layers=[1, 1, 1, 1])


def build(stream=None, **settings):
    torch.manual_seed(0)
    settings = dict(type="SingleStreamBackbone", pretrained=False) | settings
    return MODELS.build(dict(settings, stream=stream or STREAM))


@torch.no_grad()
@pytest.mark.parametrize(
    ("modalities", "seen"),
    [(("optical", "sar"), slice(0, 6)), (("optical",), slice(0, 4)), (("sar",), slice(4, 6))],
)
def test_sees_its_modalities_and_no_other(modalities, seen):
    net = build(modalities=modalities).eval()
    x = torch.rand(1, 6, 128, 128)
    expected = net.net(x[:, seen])
    for feature, reference in zip(net(x), expected, strict=True):
        assert torch.equal(feature, reference)
    assert net.out_channels == (16, 32, 80, 128)


def test_a_backbone_without_adapter_runs_as_a_whole():
    unet = dict(type="UNet", base_channels=8, num_stages=5, norm_cfg=dict(type="BN"))
    net = build(unet)
    assert [f.shape[1] for f in net(torch.rand(1, 6, 64, 64))] == [128, 64, 32, 16, 8]
    assert not hasattr(net, "out_channels")


def test_published_weights_fit_the_stacked_bands(tmp_path):
    weights = MODELS.build(
        dict(
            type="MixVisionTransformer",
            embed_dims=16,
            num_layers=[1, 1, 1, 1],
            num_heads=[1, 2, 5, 8],
        )
    ).state_dict()
    torch.save(weights, tmp_path / "mit.pth")
    for modalities, bands in ((("optical", "sar"), 6), (("sar",), 2)):
        net = build(modalities=modalities, pretrained=str(tmp_path / "mit.pth"))
        net.init_weights()
        key = "layers.0.0.projection.weight"
        assert torch.equal(net.net.state_dict()[key], adapt_first_conv(weights[key], bands))


@pytest.mark.parametrize("modalities", [(), ("radar",), ("optical", "lidar")])
def test_unknown_modalities(modalities):
    with pytest.raises(ValueError, match=r"modalities .*one or both of \['optical', 'sar'\]"):
        build(modalities=modalities)


def test_wrong_number_of_bands():
    with pytest.raises(ValueError, match=r"expects 6 bands.*has 4"):
        build()(torch.rand(1, 4, 128, 128))
