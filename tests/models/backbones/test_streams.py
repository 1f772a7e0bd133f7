"""One tester for all families of backbones, and what their names stand for."""

from __future__ import annotations

import pytest
import torch
from mmcv.cnn.bricks import DropPath
from mmseg.models.backbones import timm_backbone
from mmseg.registry import MODELS
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmcloudseg.models.backbones import NAMED_STREAMS, stages_of, stream_config
from mmcloudseg.models.backbones.pretrained import adapt_first_conv


def build(stream, **settings):
    torch.manual_seed(0)
    settings = dict(type="CrossModalBackbone", pretrained=False) | settings
    return MODELS.build(dict(settings, stream=stream))


def plain(stream, **settings):
    """The stream as MMSeg builds it, for RGB."""
    torch.manual_seed(1)
    config = dict(stream_config(stream), **settings)
    config = (
        dict(config, pretrained=False)
        if config["type"] == "TIMMBackbone"
        else dict(config, init_cfg=None)
    )
    return evaluating(MODELS.build(config))


def evaluating(net):
    """In eval mode; ResNet's and Swin's own ``train()`` return nothing."""
    net.train(False)
    return net


@torch.no_grad()
@pytest.mark.parametrize("size", [(128, 160), (131, 157)])
def test_shapes_of_all_sizes(stream, size):
    """As many channels and pixels as the backbone itself has, doubled with the optical stages."""
    alone = [f.shape[1:] for f in plain(stream)(torch.rand(1, 3, *size))]
    net = build(stream, with_optical=True).eval()
    features = net(torch.rand(1, 6, *size))
    assert [f.shape[1:] for f in features] == alone[-4:] * 2
    assert net.out_channels == tuple(shape[0] for shape in alone[-4:]) * 2


def test_gradients_reach_every_parameter(stream):
    net = build(stream, with_optical=True)
    sum(f.square().mean() for f in net(torch.rand(2, 6, 128, 128))).backward()
    assert [name for name, p in net.named_parameters() if p.grad is None] == []


@torch.no_grad()
def test_training_and_evaluation_agree(stream):
    """Up to what is meant to differ: batch statistics and dropped paths."""
    net = build(stream).eval()
    x = torch.rand(2, 6, 128, 128)
    expected = net(x)
    net.train()
    for module in net.modules():
        if (
            isinstance(module, _BatchNorm | nn.Dropout | DropPath)
            or "Drop" in type(module).__name__
        ):
            module.eval()
    for feature, reference in zip(net(x), expected, strict=True):
        torch.testing.assert_close(feature, reference)


@torch.no_grad()
def test_state_dict_round_trip(stream):
    net, other = build(stream).eval(), build(stream).eval()
    for p in other.parameters():
        p.add_(1)
    other.load_state_dict(net.state_dict(), strict=True)
    x = torch.rand(1, 6, 128, 128)
    for feature, copy in zip(net(x), other(x), strict=True):
        assert torch.equal(feature, copy)


@torch.no_grad()
def test_stages_make_up_the_backbone(stream):
    """One after the other they give what the backbone gives."""
    net = plain(stream)
    for i in range(4):
        if type(net).__name__ == "SwinTransformer":
            # Its own next stage starts from before the output's norm, here from after it.
            setattr(net, f"norm{i}", nn.Identity())
    adapter = stages_of(net)
    x = torch.rand(1, 3, 131, 157)
    expected = net(x)[-4:]
    for i, feature in enumerate(expected):
        x = adapter.run(net, i, x)
        torch.testing.assert_close(x, feature, rtol=1e-5, atol=1e-5)


def test_the_first_stage_of_the_cross_stream_is_gone(stream):
    """Its parameters are fewer, and what is left has the names that pretrained weights have."""
    net = build(stream)
    cross, whole = net.cross.state_dict(), net.optical.state_dict()
    assert cross.keys() < whole.keys()
    bands = [k for k, v in whole.items() if v.ndim == 4 and v.shape[1] == 4 and v.shape[2] > 1]
    assert bands[0] not in cross


@pytest.mark.parametrize("bands", [dict(optical=4, sar=2), dict(optical=13, sar=1)])
def test_published_weights_fit_any_bands(stream, bands, tmp_path):
    weights = plain(stream).state_dict()
    published = dict(weights, **{"head.fc.weight": torch.rand(10, 8)})
    if stream.get("name") == "swin-t":
        published = {k: v for k, v in published.items() if not k.startswith("norm")}
    torch.save(dict(state_dict=published), tmp_path / "weights.pth")
    net = build(stream, bands=bands, pretrained=str(tmp_path / "weights.pth"))
    net.init_weights()
    adapted = 0
    for part, name in ((net.optical, "optical"), (net.sar, "sar"), (net.cross, None)):
        for key, value in part.state_dict().items():
            if key not in published or key.endswith("num_batches_tracked"):
                continue
            if value.shape != published[key].shape:
                expected = adapt_first_conv(published[key], bands[name])
                adapted += 1
            else:
                expected = published[key]
            assert torch.equal(value, expected), key
    assert adapted == 2


@torch.no_grad()
def test_position_biases_of_another_window(tmp_path):
    """Swin's tables are interpolated: constant ones stay constant, indices are the window's."""
    swin = dict(name="swin-t", embed_dims=24, depths=[2, 2, 2, 2], num_heads=[1, 2, 3, 4])
    weights = plain(swin).state_dict()
    for key in weights:
        if key.endswith("bias_table"):
            weights[key] = torch.full_like(weights[key], 0.5)
    torch.save(weights, tmp_path / "weights.pth")
    net = build(dict(swin, window_size=8), pretrained=str(tmp_path / "weights.pth"))
    net.init_weights()
    for key, value in net.optical.state_dict().items():
        if key.endswith("bias_table"):
            assert len(value) == 15**2
            torch.testing.assert_close(value, torch.full_like(value, 0.5))
    net(torch.rand(1, 6, 128, 128))


def test_frozen_stages_of_a_stream_without_its_first():
    for stream in (dict(name="resnet-18"), dict(name="resnet-18-v1c"), dict(name="swin-t")):
        net = build(dict(stream, frozen_stages=1))
        net.train()
        assert any(not p.requires_grad for p in net.optical.parameters())


PUBLISHED_PARAMETERS = {
    "mit-b0": 3.3,
    "mit-b1": 13.1,
    "mit-b2": 24.2,
    "mit-b3": 44.0,
    "mit-b4": 60.8,
    "mit-b5": 81.4,
    "resnet-18": 11.2,
    "resnet-50": 23.5,
    "resnet-101": 42.5,
    "resnext-50": 23.0,
    "resnext-101": 42.1,
    "swin-t": 27.5,
    "swin-s": 48.8,
    "swin-b": 86.7,
    "twins-svt-s": 23.5,
    "twins-svt-b": 55.3,
    "twins-svt-l": 98.2,
    "twins-pcpvt-s": 23.6,
    "twins-pcpvt-b": 43.3,
    "twins-pcpvt-l": 60.4,
}
"""Millions, of the encoders alone: the papers' less a classifier of 1000 classes."""


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in NAMED_STREAMS if "convnext" not in n])
def test_every_name_builds(name):
    net = plain(name)
    assert len(stages_of(net).channels(net)) == 4
    millions = sum(p.numel() for p in net.parameters()) / 1e6
    assert millions == pytest.approx(PUBLISHED_PARAMETERS.get(name, millions), rel=0.02)
    assert NAMED_STREAMS[name]["init_cfg"]["checkpoint"].endswith(".pth")


def test_a_name_with_changes():
    assert stream_config(dict(name="mit-b0", embed_dims=8))["embed_dims"] == 8
    assert stream_config("mit-b0")["embed_dims"] == 32


def test_an_unknown_name_says_which_there_are():
    with pytest.raises(ValueError, match=r"'swin-x' is not known; did you mean swin-.*mit-b0"):
        build("swin-x")


def test_a_stream_without_name_or_type():
    with pytest.raises(ValueError, match=r"\{'depth': 50\}.*dict\(name=.*dict\(type="):
        build(dict(depth=50))


def test_timm_is_missing(monkeypatch):
    monkeypatch.setattr(timm_backbone, "timm", None)
    with pytest.raises(ValueError, match=r"'convnext_tiny' comes from timm.*pip install timm"):
        build("convnext-t")


def test_other_failures_of_a_stream_are_its_own(monkeypatch):
    monkeypatch.setattr(timm_backbone, "timm", None)
    with pytest.raises(KeyError, match="depth 19"):
        build(dict(type="ResNet", depth=19))
