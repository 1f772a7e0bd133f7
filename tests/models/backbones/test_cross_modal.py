from __future__ import annotations

import pytest
import torch
from mmseg.registry import MODELS

from mmcloudseg.models.backbones import StageAdapter, register_stages, stages_of
from mmcloudseg.models.backbones.stages import _ADAPTERS

STREAM = dict(
    type="MixVisionTransformer", embed_dims=16, num_layers=[1, 1, 1, 1], num_heads=[1, 2, 5, 8]
)
CHANNELS = (16, 32, 80, 128)


def build(**kwargs):
    torch.manual_seed(0)
    return MODELS.build(dict(type="CrossModalBackbone", stream=STREAM, **kwargs))


@torch.no_grad()
@pytest.mark.parametrize("with_optical", [True, False])
@pytest.mark.parametrize("size", [(128, 160), (150, 130)])
def test_features(with_optical, size):
    net = build(with_optical=with_optical)
    features = net(torch.rand(2, 6, *size))
    strides = (4, 8, 16, 32)
    expected = [
        (2, c, -(-size[0] // s), -(-size[1] // s)) for c, s in zip(CHANNELS, strides, strict=True)
    ]
    assert [tuple(f.shape) for f in features] == expected * (2 if with_optical else 1)
    assert net.out_channels == CHANNELS * (2 if with_optical else 1)


@torch.no_grad()
def test_each_modality_reaches_its_own_stream():
    net = build(with_optical=True).eval()
    x = torch.rand(1, 6, 128, 128)
    seen = {}
    net.optical.layers[0].register_forward_hook(lambda *_: None)
    net.optical.layers[0][0].register_forward_pre_hook(lambda _, i: seen.update(optical=i[0]))
    net.sar.layers[0][0].register_forward_pre_hook(lambda _, i: seen.update(sar=i[0]))
    net(x)
    assert torch.equal(seen["optical"], x[:, :4])
    assert torch.equal(seen["sar"], x[:, 4:])


@pytest.mark.parametrize("with_optical", [True, False])
@pytest.mark.parametrize("spatial_gate", [True, False])
def test_nothing_is_built_in_vain(with_optical, spatial_gate):
    net = build(with_optical=with_optical, spatial_gate=spatial_gate)
    sum(f.square().mean() for f in net(torch.rand(2, 6, 128, 128))).backward()
    assert [name for name, p in net.named_parameters() if p.grad is None] == []
    assert any("spatial_gate" in name for name, _ in net.named_parameters()) == spatial_gate


def test_layer_norm_eps_are_those_of_the_published_weights():
    for embed, blocks, norm in build().optical.layers:
        assert (embed.norm.eps, norm.eps) == (1e-5, 1e-6)
        for block in blocks:
            assert block.norm1.eps == block.norm2.eps == 1e-6
            if hasattr(block.attn, "norm"):
                assert block.attn.norm.eps == 1e-5


def test_wrong_number_of_bands():
    with pytest.raises(ValueError, match=r"expects 6 bands.*has 3"):
        build()(torch.rand(1, 3, 128, 128))


def test_too_small_an_image():
    with pytest.raises(ValueError, match=r"96 x 128 .*128 x 128.*larger crops"):
        build()(torch.rand(1, 6, 96, 128))


def test_bands_in_another_order():
    with pytest.raises(ValueError, match=r"dict\(optical=…, sar=…\).*'sar': 2, 'optical': 4"):
        build(bands=dict(sar=2, optical=4))


def test_other_numbers_of_bands():
    net = build(bands=dict(optical=3, sar=1))
    assert len(net(torch.rand(1, 4, 128, 128))) == 4


def test_a_family_without_adapter_says_what_is_supported():
    stream = dict(type="UNet", in_channels=4)
    with pytest.raises(ValueError, match=r"'UNet' cannot be split.*MixVisionTransformer"):
        MODELS.build(dict(type="CrossModalBackbone", stream=stream))


def test_a_new_family_is_one_class_and_one_registration():
    class Plain(torch.nn.Module):
        pass

    @register_stages("Plain")
    class PlainStages(StageAdapter):
        def channels(self, net):
            return (8,)

        def run(self, net, stage, x):
            return x

        def drop_first_stage(self, net):
            pass

    try:

        class Child(Plain):
            pass

        assert isinstance(stages_of(Child()), PlainStages)
    finally:
        del _ADAPTERS["Plain"]
