"""CMX as a whole: streams, initial weights, training, published size."""

from __future__ import annotations

import pytest
import torch
from mmengine.analysis import FlopAnalyzer
from mmengine.config import Config
from mmseg.registry import MODELS
from torch import nn

from mmcloudseg.models.backbones.pretrained import adapt_first_conv

STREAM = dict(name="mit-b0", embed_dims=16, num_layers=[1, 1, 1, 1])
CHANNELS = (16, 32, 80, 128)


def build(**kwargs):
    torch.manual_seed(0)
    config = dict(type="CMXBackbone", stream=STREAM, pretrained=False) | kwargs
    net = MODELS.build(config)
    net.init_weights()
    return net


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
