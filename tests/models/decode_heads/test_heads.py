from __future__ import annotations

import math
import warnings

import pytest
import torch
from mmseg.registry import MODELS
from torch import nn

from mmcloudseg.models.decode_heads import UNetDecoder

CHANNELS = [16, 32, 80, 128]


def features(size=128):
    torch.manual_seed(0)
    return [
        torch.rand(2, c, size // s, size // s)
        for c, s in zip(CHANNELS, (4, 8, 16, 32), strict=True)
    ]


def head(**kwargs):
    built = MODELS.build(dict(in_channels=CHANNELS, **kwargs))
    built.init_weights()
    return built


def test_decoder_has_the_published_widths():
    decoder = UNetDecoder([64, 128, 320, 512])
    shapes = [tuple(block.conv1.weight.shape[:2]) for block in decoder.blocks]
    assert shapes == [(256, 832), (128, 384), (64, 192), (32, 64), (16, 32)]


@torch.no_grad()
@pytest.mark.parametrize("size", [128, 150])
def test_land_cover_comes_in_the_size_of_the_input(size):
    net = head(type="UNetDecodeHead", num_classes=6)
    sizes = [-(-size // s) for s in (4, 8, 16, 32)]
    inputs = [torch.rand(1, c, n, n) for c, n in zip(CHANNELS, sizes, strict=True)]
    assert net(inputs).shape == (1, 6, sizes[0] * 4, sizes[0] * 4)


@torch.no_grad()
def test_in_index_chooses_features():
    net = head(type="CloudRemovalHead", in_index=[4, 5, 6, 7], out_bands=3).eval()
    optical, other = features(), [torch.full_like(f, 9.0) for f in features()]
    image = net([*other, *optical])
    assert image.shape == (2, 3, 128, 128)
    assert torch.equal(image, net([*features(), *optical]))


def test_initialization():
    torch.manual_seed(0)
    net = head(type="UNetDecodeHead", num_classes=6)
    conv = net.decoder.blocks[0].conv2.weight  # Kaiming uniform, fan-in, ReLU
    bound = math.sqrt(6 / (256 * 9))
    assert conv.abs().max().item() == pytest.approx(bound, rel=1e-3)
    seg = net.conv_seg  # Xavier uniform
    bound = math.sqrt(6 / (16 * 9 + 6 * 9))
    assert bound * 0.98 < seg.weight.abs().max().item() <= bound
    assert seg.bias.abs().max().item() == 0
    removal = head(type="CloudRemovalHead")
    assert removal.conv_image.bias.abs().max().item() > 0  # PyTorch's default
    assert not hasattr(removal, "conv_seg")


def test_initial_weights_of_a_seed():
    """They are what they were when the head was an MMSeg head, which draws a classifier first."""
    torch.manual_seed(0)
    removal = MODELS.build(dict(type="CloudRemovalHead", in_channels=CHANNELS, out_bands=5))
    torch.manual_seed(0)
    nn.Conv2d(16, 5, 1)
    UNetDecoder(CHANNELS)
    assert torch.equal(removal.conv_hidden.weight, nn.Conv2d(16, 64, 3, padding=1).weight)


@pytest.mark.parametrize("bands", [1, 2])
def test_few_bands_are_no_binary_classes(bands):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        head(type="CloudRemovalHead", out_bands=bands)


def test_channels_without_an_index():
    with pytest.raises(ValueError, match=r"in_channels are \[16, 32, 80, 128\].*in_index is \[4"):
        head(type="CloudRemovalHead", in_index=[4, 5, 6])


def test_losses_have_names(batch):
    _, samples = batch(2, 160)
    inputs = [
        torch.rand(2, c, 160 // s, 160 // s) for c, s in zip(CHANNELS, (4, 8, 16, 32), strict=True)
    ]
    removal = head(type="CloudRemovalHead", in_index=[0, 1, 2, 3])
    assert list(removal.loss(inputs, samples, None)) == ["loss_cloud_removal"]
    cover = head(type="UNetDecodeHead", num_classes=6)
    assert set(cover.loss(inputs, samples, None)) == {"loss_ce", "acc_seg"}
