"""CMX's fusion modules against their equations."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mmcloudseg.models.backbones.cmx_fusion import (
    CrossModalRectification,
    ExchangePath,
    FeatureFusion,
    MixedChannelEmbedding,
)


def pair(*size, dtype=torch.float64):
    torch.manual_seed(0)
    return torch.randn(*size, dtype=dtype), torch.randn(*size, dtype=dtype)


def swap_halves(weight, dim=0):
    first, second = weight.chunk(2, dim=dim)
    return torch.cat([second, first], dim=dim)


@torch.no_grad()
@pytest.mark.parametrize(("lambda_c", "lambda_s"), [(0.5, 0.5), (1.0, 0.0), (0.2, 0.7)])
def test_rectification_by_hand(lambda_c, lambda_s):
    block = CrossModalRectification(6, lambda_c, lambda_s).double()
    optical, sar = pair(2, 6, 5, 7)
    y = torch.cat(
        [
            *(f.flatten(2).mean(2) for f in (optical, sar)),
            *(f.flatten(2).max(2).values for f in (optical, sar)),
        ],
        1,
    )
    first, _, second = block.channel_mlp
    channel = (second.weight @ (first.weight @ y.T + first.bias[:, None]).clamp(min=0)).T
    channel = (channel + second.bias).sigmoid()[..., None, None]
    first, _, second = block.spatial_mlp
    hidden = torch.einsum("nchw,dc->ndhw", torch.cat([optical, sar], 1), first.weight[..., 0, 0])
    hidden = (hidden + first.bias[:, None, None]).clamp(min=0)
    place = torch.einsum("nchw,dc->ndhw", hidden, second.weight[..., 0, 0])
    place = (place + second.bias[:, None, None]).sigmoid()

    out = block(optical, sar)
    torch.testing.assert_close(
        out[0], optical + lambda_c * channel[:, 6:] * sar + lambda_s * place[:, 1:] * sar
    )
    torch.testing.assert_close(
        out[1], sar + lambda_c * channel[:, :6] * optical + lambda_s * place[:, :1] * optical
    )


@torch.no_grad()
def test_rectification_of_weight_zero_leaves_features_alone():
    optical, sar = pair(2, 4, 5, 6)
    out = CrossModalRectification(4, lambda_c=0, lambda_s=0).double()(optical, sar)
    assert torch.equal(out[0], optical)
    assert torch.equal(out[1], sar)

    shut = CrossModalRectification(4).double()
    for mlp in (shut.channel_mlp, shut.spatial_mlp):
        mlp[-1].weight.zero_()
        mlp[-1].bias.fill_(-1e4)
    assert torch.equal(shut(optical, sar)[0], optical)


@torch.no_grad()
def test_rectification_of_weight_one_adds_the_other():
    """Both sigmoids at one, and the two halves make a whole."""
    block = CrossModalRectification(4).double()
    for mlp in (block.channel_mlp, block.spatial_mlp):
        mlp[-1].weight.zero_()
        mlp[-1].bias.fill_(1e4)
    optical, sar = pair(2, 4, 5, 6)
    for out in block(optical, sar):
        torch.testing.assert_close(out, optical + sar)


@torch.no_grad()
def test_a_modality_without_signal_rectifies_nothing():
    optical, _ = pair(2, 4, 5, 6)
    block = CrossModalRectification(4).double()
    out, other = block(optical, torch.zeros_like(optical))
    assert torch.equal(out, optical)
    assert other.abs().sum() > 0


@torch.no_grad()
def test_rectification_is_symmetric():
    """Inputs and the weights that read and write them changed over: so are the outputs."""
    block, mirror = CrossModalRectification(4).double(), CrossModalRectification(4).double()
    state = block.state_dict()
    avg, peak = state["channel_mlp.0.weight"].chunk(2, dim=1)
    state["channel_mlp.0.weight"] = torch.cat([swap_halves(avg, 1), swap_halves(peak, 1)], 1)
    state["spatial_mlp.0.weight"] = swap_halves(state["spatial_mlp.0.weight"], 1)
    for key in ("channel_mlp.2.weight", "channel_mlp.2.bias"):
        state[key] = swap_halves(state[key])
    for key in ("spatial_mlp.2.weight", "spatial_mlp.2.bias"):
        state[key] = swap_halves(state[key])
    mirror.load_state_dict(state)
    optical, sar = pair(2, 4, 5, 6)
    for out, expected in zip(mirror(sar, optical)[::-1], block(optical, sar), strict=True):
        torch.testing.assert_close(out, expected)


@torch.no_grad()
def test_context_by_hand():
    """Head by head; as large as a head, and each output channel is a mean over the inputs'."""
    path = ExchangePath(6, num_heads=2).double()
    x, _ = pair(2, 35, 6)
    context = path.context(x)
    assert context.shape == (2, 2, 3, 3)
    torch.testing.assert_close(context.sum(2), torch.ones(2, 2, 3, dtype=torch.float64))
    weight = path.key_value.weight
    for head in range(2):
        rows = slice(3 * head, 3 * head + 3)
        key, value = x @ weight[:6][rows].T, x @ weight[6:][rows].T
        expected = (torch.einsum("nlk,nlv->nkv", key, value) / 3**0.5).softmax(1)
        torch.testing.assert_close(context[:, head], expected)


@torch.no_grad()
def test_exchange_by_hand():
    """Each modality's queries meet the other's context, eq. (8)."""
    block = FeatureFusion(6, num_heads=2).double().eval()
    block.fuse = nn.Identity()
    optical, sar = pair(2, 6, 5, 7)
    exchanged = block(optical, sar)
    assert exchanged.shape == (2, 12, 5, 7)

    def tokens(x):
        return x.flatten(2).mT

    def halves(path, x):
        return (tokens(x) @ path.embed.weight.T + path.embed.bias).clamp(min=0).split(6, dim=2)

    for path, x, other, other_x, got in (
        (block.optical, optical, block.sar, sar, exchanged[:, :6]),
        (block.sar, sar, block.optical, optical, exchanged[:, 6:]),
    ):
        residual, interactive = halves(path, x)
        context = other.context(halves(other, other_x)[1])
        attended = torch.cat(
            [interactive[..., :3] @ context[:, 0], interactive[..., 3:] @ context[:, 1]], 2
        )
        joined = torch.cat([residual, attended], 2) @ path.merge.weight.T + path.merge.bias
        expected = nn.functional.layer_norm(tokens(x) + joined, (6,))
        torch.testing.assert_close(tokens(got), expected)


@torch.no_grad()
def test_exchange_is_symmetric():
    block, mirror = FeatureFusion(8, 2).double(), FeatureFusion(8, 2).double()
    block.fuse = mirror.fuse = nn.Identity()
    mirror.optical.load_state_dict(block.sar.state_dict())
    mirror.sar.load_state_dict(block.optical.state_dict())
    optical, sar = pair(2, 8, 5, 6)
    torch.testing.assert_close(mirror(sar, optical), swap_halves(block(optical, sar), 1))


@torch.no_grad()
def test_exchange_is_global():
    """A change in one corner of SAR reaches optical pixels everywhere."""
    block = FeatureFusion(8, 2).double()
    block.fuse = nn.Identity()
    optical, sar = pair(1, 8, 6, 6)
    changed = sar.clone()
    changed[..., 0, 0] += 5
    difference = (block(optical, sar) - block(optical, changed))[:, :8].abs().sum(1)
    assert difference.min() > 0


@torch.no_grad()
def test_mixed_channel_embedding_by_hand():
    block = MixedChannelEmbedding(4, dict(type="BN")).double().eval()
    for norm in (block.mix[-1], block.norm):
        norm.running_mean.normal_()
        norm.running_var.uniform_(1, 2)
    stacked = torch.cat(pair(2, 4, 5, 6), 1)
    squeeze, around, _, expand, inner = block.mix

    def mixed(conv, x):
        out = torch.einsum("nchw,dc->ndhw", x, conv.weight[..., 0, 0])
        return out if conv.bias is None else out + conv.bias[:, None, None]

    def normed(norm, x):
        mean, var = (v[:, None, None] for v in (norm.running_mean, norm.running_var))
        return (x - mean) / (var + 1e-5).sqrt()

    small = nn.functional.pad(mixed(squeeze, stacked), (1, 1, 1, 1))
    local = around.bias[:, None, None] + sum(
        around.weight[:, 0, i, j, None, None] * small[..., i : i + 5, j : j + 6]
        for i in range(3)
        for j in range(3)
    )
    expected = mixed(block.skip, stacked) + normed(inner, mixed(expand, local.clamp(min=0)))
    torch.testing.assert_close(block(stacked), normed(block.norm, expected))


def test_heads_that_do_not_divide():
    with pytest.raises(ValueError, match=r"3 heads .* 8 channels.*num_heads"):
        FeatureFusion(8, num_heads=3)
