from __future__ import annotations

import torch
import torch.nn.functional as F

from mmcloudseg.models.backbones.fusion import FusionBlock, MultiScaleContext


def by_hand(block: FusionBlock, o, s, x, gated: bool):
    """The formulas, in another way than the block computes them."""

    def context(name, f):
        size = f.shape[2:]
        up = torch.nn.Upsample(size=size)
        pyramid = torch.cat([f, up(F.max_pool2d(f, 2)), up(F.max_pool2d(f, 4))], 1)
        conv = block.context[name].conv
        return (
            torch.einsum("nchw,dc->ndhw", pyramid, conv.weight[:, :, 0, 0])
            .add(conv.bias[:, None, None])
            .clamp(min=0)
        )

    om, sm, xm = context("optical", o), context("sar", s), context("cross", x)
    gate = 1.0
    if gated:
        d = om - sm
        pooled = torch.stack([d.max(1).values, d.mean(1)], 1)
        bn = block.spatial_gate.bn
        raw = F.conv2d(pooled, block.spatial_gate.conv.weight, padding=3)
        normed = (raw - bn.running_mean) / (bn.running_var + 1e-5).sqrt() * bn.weight + bn.bias
        gate = normed.sigmoid()
    z = torch.cat([gate * om, sm, xm], 1)
    hidden = (z.mean((2, 3)) @ block.channel_weights.reduce.weight.T).clamp(min=0)
    w = (hidden @ block.channel_weights.expand.weight.T).sigmoid()[..., None, None]
    c = o.shape[1]
    fused = (w * z)[:, :c] + (w * z)[:, c : 2 * c] + (w * z)[:, 2 * c :]
    back = {}
    for name, raw, ctx in (("optical", o, om), ("sar", s, sm)):
        conv = block.distribute[name]
        news = fused - ctx
        back[name] = raw + news * F.conv2d(news, conv.weight, conv.bias, padding=1).sigmoid()
    return back["optical"], back["sar"], fused


@torch.no_grad()
def test_formulas():
    torch.manual_seed(0)
    for gated in (True, False):
        block = FusionBlock(16, spatial_gate=gated).double().eval()
        if gated:
            block.spatial_gate.bn.running_mean.fill_(0.3)
            block.spatial_gate.bn.running_var.fill_(2.0)
        streams = [torch.randn(2, 16, 9, 12, dtype=torch.float64) for _ in range(3)]
        for ours, expected in zip(block(*streams), by_hand(block, *streams, gated), strict=True):
            torch.testing.assert_close(ours, expected)


@torch.no_grad()
def test_context_is_that_of_its_neighbourhood():
    context = MultiScaleContext(1)
    context.conv.weight.copy_(torch.tensor([0.0, 0.0, 1.0]).reshape(1, 3, 1, 1))
    context.conv.bias.zero_()
    f = torch.arange(64.0).reshape(1, 1, 8, 8)
    expected = F.max_pool2d(f, 4).repeat_interleave(4, 2).repeat_interleave(4, 3)
    assert torch.equal(context(f), expected)


def test_momentum_of_the_gate():
    block = FusionBlock(16)
    assert block.spatial_gate.bn.momentum == 0.01
    assert block.spatial_gate.bn.eps == 1e-5


@torch.no_grad()
def test_what_is_not_read_is_not_returned():
    block = FusionBlock(16, with_cross=False, return_optical=False, return_sar=False)
    optical, sar, fused = block(torch.rand(1, 16, 8, 8), torch.rand(1, 16, 8, 8))
    assert optical is None
    assert sar is None
    assert fused.shape == (1, 16, 8, 8)
