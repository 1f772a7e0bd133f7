from __future__ import annotations

import pytest
import torch
from mmengine.analysis import FlopAnalyzer
from mmengine.config import Config
from mmseg.registry import MODELS
from torch import nn

from mmcloudseg.models.backbones.cmx_fusion import (
    CrossModalRectification,
    ExchangePath,
    FeatureFusion,
    MixedChannelEmbedding,
)
from mmcloudseg.models.backbones.pretrained import adapt_first_conv

STREAM = dict(name="mit-b0", embed_dims=16, num_layers=[1, 1, 1, 1])
CHANNELS = (16, 32, 80, 128)


def build(**kwargs):
    torch.manual_seed(0)
    config = dict(type="CMXBackbone", stream=STREAM, pretrained=False) | kwargs
    net = MODELS.build(config)
    net.init_weights()
    return net


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


@torch.no_grad()
@pytest.mark.parametrize("size", [(128, 160), (131, 157)])
def test_shapes_of_every_family(stream, size):
    net = build(stream=stream).eval()
    alone = net.stages.channels(net.optical)
    features = net(torch.rand(1, 6, *size))
    assert net.out_channels == tuple(f.shape[1] for f in features) == alone
    x = torch.rand(1, 4, *size)
    for i, feature in enumerate(features):
        x = net.stages.run(net.optical, i, x)
        assert feature.shape == x.shape


def test_gradients_reach_every_parameter_of_every_family(stream):
    net = build(stream=stream)
    sum(f.square().mean() for f in net(torch.rand(2, 6, 128, 128))).backward()
    assert [name for name, p in net.named_parameters() if p.grad is None] == []


@torch.no_grad()
def test_rectified_features_go_on_and_are_fused():
    net = build().eval()
    seen: dict[str, list] = {"rectified": [], "sar in": [], "fused of": []}
    for i in range(4):
        net.rectification[i].register_forward_hook(lambda *a: seen["rectified"].append(a[2]))
        net.fusion[i].register_forward_pre_hook(lambda _, x: seen["fused of"].append(x))
        net.sar.layers[i][0].register_forward_pre_hook(lambda _, x: seen["sar in"].append(x[0]))
    x = torch.rand(1, 6, 128, 128)
    net(x)
    assert torch.equal(seen["sar in"][0], x[:, 4:])
    for i in range(4):
        assert all(
            torch.equal(*ab) for ab in zip(seen["rectified"][i], seen["fused of"][i], strict=True)
        )
        if i:
            assert torch.equal(seen["sar in"][i], seen["rectified"][i - 1][1])


def test_heads_are_those_of_the_stream():
    assert [f.optical.num_heads for f in build().fusion] == [1, 2, 5, 8]
    swin = dict(name="swin-t", embed_dims=24, depths=[2, 2, 2, 2], num_heads=[1, 2, 3, 4])
    assert [f.sar.num_heads for f in build(stream=swin).fusion] == [1, 2, 3, 4]
    resnet = dict(name="resnet-18", base_channels=40, stem_channels=40)
    assert [f.sar.num_heads for f in build(stream=resnet).fusion] == [1, 1, 2, 5]
    assert [f.sar.num_heads for f in build(num_heads=[2, 2, 2, 2]).fusion] == [2] * 4
    with pytest.raises(ValueError, match=r"num_heads .*\[1, 2\], .* 4 stages"):
        build(num_heads=[1, 2])


@torch.no_grad()
def test_initial_weights():
    """As MiT's own: small linear layers, no biases, convolutions by what they write."""
    net = build(stream=dict(STREAM, embed_dims=32))
    for block in (*net.rectification, *net.fusion):
        for module in block.modules():
            if getattr(module, "bias", None) is not None:
                assert not module.bias.any()
            if isinstance(module, nn.Linear):
                assert module.weight.std() == pytest.approx(0.02, rel=0.1)
    around = net.fusion[3].fuse.mix[1]
    assert around.weight.std() == pytest.approx((2 / 9) ** 0.5, rel=0.1)


def test_pretrained_weights_go_into_both_streams(tmp_path):
    torch.manual_seed(1)
    plain = dict(
        type="MixVisionTransformer", embed_dims=16, num_layers=[1] * 4, num_heads=[1, 2, 5, 8]
    )
    weights = MODELS.build(plain).state_dict()
    torch.save(weights, tmp_path / "mit.pth")
    net = build(pretrained=str(tmp_path / "mit.pth"))
    first = "layers.0.0.projection.weight"
    for stream, bands in ((net.optical, 4), (net.sar, 2)):
        state = stream.state_dict()
        assert torch.equal(state.pop(first), adapt_first_conv(weights[first], bands))
        assert all(torch.equal(value, weights[key]) for key, value in state.items())


def test_a_training_step_reaches_every_parameter(root, batch):
    """Of the shipped segmentor; a shift that the next norm takes away again has no gradient."""
    torch.manual_seed(0)
    model = Config.fromfile(root / "configs/_base_/models/cmx_mit-b0.py").model
    model.decode_head.num_classes = 6
    model.backbone.stream = STREAM
    net = MODELS.build(model)
    net.init_weights()
    assert net.decode_head.in_channels == list(CHANNELS)
    inputs, samples = batch()
    losses = net.train()(inputs, samples, mode="loss")
    losses["decode.loss_ce"].backward()
    assert [name for name, p in net.named_parameters() if p.grad is None] == []
    silent = {name for name, p in net.named_parameters() if not p.grad.abs().max() > 1e-9}
    shifts = ("fuse.mix.4.bias", "fuse.norm.bias")
    assert {name for name in silent if not name.endswith(shifts)} == set()


@torch.no_grad()
def test_a_missing_modality_gives_numbers():
    net = build().eval()
    x = torch.rand(1, 6, 128, 128)
    for bands in (slice(0, 4), slice(4, 6)):
        dark = x.clone()
        dark[:, bands] = 0
        assert all(feature.isfinite().all() for feature in net(dark))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stream", "millions", "giga"),
    [("mit-b2", 66.6, 67.6), ("mit-b4", 139.9, 134.3), ("mit-b5", 181.1, 167.8)],
)
def test_published_size_and_cost(root, stream, millions, giga):
    """Table XII, at 480 x 640, three bands each, 40 classes.

    Its FLOPs are those of layers: a counter that hooks modules, as the usual ones did, sees no
    product of two activations. Attention's own come on top: 11.3 G of B2, which MMEngine counts.
    """
    model = Config.fromfile(root / "configs/_base_/models/cmx_mit-b2.py").model
    model.backbone.update(stream=stream, pretrained=False, bands=dict(optical=3, sar=3))
    model.decode_head.num_classes = 40
    net = MODELS.build(model).eval()
    assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(millions, rel=0.001)

    counter = FlopAnalyzer(net, (torch.rand(1, 6, 480, 640),))
    counter.uncalled_modules_warnings(False).unsupported_ops_warnings(False)
    flops = counter.by_operator()
    products = flops.pop("bmm") + flops.pop("matmul")
    assert sum(flops.values()) / 1e9 == pytest.approx(giga, rel=0.005)
    if stream == "mit-b2":
        assert products / 1e9 == pytest.approx(11.3, rel=0.005)
