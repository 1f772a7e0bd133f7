"""ASANet's fusion modules against their equations."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmcloudseg.models.backbones.asanet_fusion import (
    CascadeFusion,
    ChannelGate,
    SemanticFocusing,
)


def pair(*size):
    torch.manual_seed(0)
    return torch.randn(*size, dtype=torch.float64), torch.randn(*size, dtype=torch.float64)


def dense(layer, x):
    return x @ layer.weight.flatten(1).T + layer.bias


@torch.no_grad()
def test_focusing_by_hand():
    block = SemanticFocusing(6).double()
    optical, sar = pair(2, 6, 5, 7)
    first, _, last = block.mlp

    def weights(difference):
        peak = difference.flatten(2).max(2).values
        return dense(last, F.gelu(dense(first, peak))).sigmoid()[..., None, None]

    out = block(optical, sar)
    torch.testing.assert_close(out[0], optical + optical * weights(optical - sar))
    torch.testing.assert_close(out[1], sar + sar * weights(sar - optical))


@torch.no_grad()
def test_focusing_tells_the_modalities_apart_by_the_sign_of_their_difference():
    block = SemanticFocusing(6).double()
    optical, sar = pair(2, 6, 5, 7)
    out, swapped = block(optical, sar), block(sar, optical)
    assert torch.equal(swapped[0], out[1])
    assert torch.equal(swapped[1], out[0])
    gains = [focused / raw for focused, raw in zip(out, (optical, sar), strict=True)]
    assert (gains[0] - gains[1]).abs().min() > 1e-3
    for gain in gains:
        assert ((gain > 1) & (gain < 2)).all()
        torch.testing.assert_close(gain, gain[..., :1, :1].expand_as(gain))
    same, other = block(optical, optical)
    assert torch.equal(same, other)


def test_focusing_has_the_published_width():
    """A sixteenth of the channels, at least 32."""
    hidden = [SemanticFocusing(c).mlp[0].out_features for c in (96, 192, 384, 768)]
    assert hidden == [32, 32, 32, 48]


def gate_by_hand(gate, x):
    def normed(norm, y):
        scale = norm.weight / (norm.running_var + 1e-5).sqrt()
        return (y - norm.running_mean) * scale + norm.bias

    pooled = x.flatten(2).mean(2)
    hidden = normed(gate.expand.bn, pooled @ gate.expand.conv.weight[..., 0, 0].T).clamp(0, 6)
    out = normed(gate.reduce.bn, hidden @ gate.reduce.conv.weight[..., 0, 0].T)
    return out.sigmoid()[..., None, None]


def with_statistics(block):
    """Running statistics that are not the identity."""
    for norm in block.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.normal_()
            norm.running_var.uniform_(1, 2)
            norm.weight.uniform_(0.5, 2)
            norm.bias.normal_()
    return block


@torch.no_grad()
def test_cascade_by_hand():
    block = with_statistics(CascadeFusion(4).double().eval())
    optical, sar = pair(2, 4, 5, 6)

    def mixed(conv, x):
        return torch.einsum("nchw,dc->ndhw", x, conv.weight[..., 0, 0]) + conv.bias[:, None, None]

    both = mixed(block.merge, torch.cat([optical, sar], 1))
    gated = {
        "optical": optical * gate_by_hand(block.gate["optical"], both),
        "sar": sar * gate_by_hand(block.gate["sar"], both),
    }
    both = mixed(block.merge_gated, torch.cat(list(gated.values()), 1))
    expected = 0
    for name, feature in gated.items():
        raised = mixed(block.select[name], both).exp()
        expected = expected + feature * raised / raised.sum(1, keepdim=True)
    torch.testing.assert_close(block(optical, sar), expected)


@torch.no_grad()
def test_selection_by_place_sums_to_one_over_channels():
    """With open gates and features of one, each modality gives exactly one to every pixel."""
    block = CascadeFusion(4).double().eval()
    for gate in block.gate.values():
        gate.reduce.bn.weight.zero_()
        gate.reduce.bn.bias.fill_(1e4)
    ones = torch.ones(2, 4, 5, 6, dtype=torch.float64)
    fused = block(ones, ones)
    torch.testing.assert_close(fused.sum(1), torch.full((2, 5, 6), 2.0, dtype=torch.float64))


@torch.no_grad()
@pytest.mark.parametrize("shut", ["optical", "sar"])
def test_a_shut_gate_keeps_a_modality_out(shut):
    """What it holds still steers the other's gate, but doesn't get into the fused feature."""
    block = CascadeFusion(4).double().eval()
    for name, gate in block.gate.items():
        gate.reduce.bn.weight.zero_()
        gate.reduce.bn.bias.fill_(-1e4 if name == shut else 1e4)
    optical, sar = pair(2, 4, 5, 6)
    changed = {"optical": optical, "sar": sar}
    changed[shut] = changed[shut].flip(3) + 1
    assert torch.equal(block(**changed), block(optical, sar))
    other = "sar" if shut == "optical" else "optical"
    changed[other] = changed[other] + 1
    assert not torch.allclose(block(**changed), block(optical, sar))


def test_gate_does_not_depend_on_the_place():
    torch.manual_seed(0)
    gate = ChannelGate(4).double().eval()
    x, _ = pair(2, 4, 5, 6)
    weights = gate(x)
    assert weights.shape == (2, 4, 1, 1)
    torch.testing.assert_close(gate(x.flip(2, 3)), weights)


def test_other_norms():
    block = CascadeFusion(32, norm_cfg=dict(type="GN", num_groups=8))
    assert not any(isinstance(m, nn.BatchNorm2d) for m in block.modules())
    assert any(isinstance(m, nn.GroupNorm) for m in block.modules())
