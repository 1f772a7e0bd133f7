"""Learning rates by layer: which parameters share one, and what is refused."""

from __future__ import annotations

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmseg.engine.optimizers.layer_decay_optimizer_constructor import get_layer_id_for_convnext
from mmseg.registry import MODELS
from torch import nn

from mmcloudseg.engine.layer_decay import _layer_of
from mmcloudseg.models.backbones.named_streams import NAMED_STREAMS
from mmcloudseg.models.backbones.stages import CLOSES, OPENS

DECAY = dict(decay_rate=0.5, decay_type="layer_wise", num_layers=4)
MIT = dict(name="mit-b0", embed_dims=8, num_layers=[1, 1, 1, 1])


def model(backbone="CrossModalBackbone", stream=MIT):
    made = nn.Module()
    made.backbone = MODELS.build(dict(type=backbone, stream=stream, pretrained=False))
    made.decode_head = nn.Conv2d(3, 3, 1)
    return made


def rates(module, constructor="LearningRateDecayOptimizerConstructor", **paramwise):
    """The learning rate of each parameter, by name, at a base rate of 1."""
    wrapper = build_optim_wrapper(
        module,
        dict(
            type="OptimWrapper",
            optimizer=dict(type="AdamW", lr=1.0, weight_decay=0.1),
            constructor=constructor,
            paramwise_cfg=paramwise,
        ),
    )
    groups = wrapper.optimizer.param_groups
    found = {name: group["lr"] for group in groups for name in group["param_names"]}
    assert found.keys() == {name for name, p in module.named_parameters() if p.requires_grad}
    for group in groups:
        assert group["weight_decay"] == (0.1 if group["params"][0].ndim > 1 else 0.0)
    return found


def test_layers_of_three_streams():
    found = rates(model(), **DECAY)
    for stream, first in (("optical", 0), ("sar", 0), ("cross", 1)):
        for stage in range(first, 4):
            layers = f"backbone.{stream}.layers.{stage}"
            block, norm = found[f"{layers}.1.0.norm1.weight"], found[f"{layers}.2.bias"]
            assert block == norm == 0.5 ** (4 - stage)
            opening = found[f"{layers}.0.projection.weight"]
            assert opening == (0.5**5 if stage == 0 else block)
    assert found["decode_head.weight"] == found["backbone.fusion.0.context.optical.conv.bias"] == 1


@pytest.mark.parametrize("family", sorted({name.split("-")[0] for name in NAMED_STREAMS}))
@pytest.mark.parametrize("decay_type", ["layer_wise", "stage_wise"])
def test_every_family_of_named_streams(family, decay_type):
    if family.startswith("convnext"):
        pytest.importorskip("timm", reason="timm (optional: requirements/optional.txt)")
    name = next(name for name in NAMED_STREAMS if name.split("-")[0] == family)
    module = model("SingleStreamBackbone", name)
    found = rates(module, **DECAY | dict(decay_type=decay_type))
    by_depth = [found[f"backbone.net.{key}"] for key, _ in module.backbone.net.named_parameters()]
    assert set(by_depth) == {0.5**layer for layer in range(1, 6)}
    assert by_depth[0] == 0.5**5


def test_a_frozen_stage_is_left_out():
    module = model()
    module.backbone.optical.layers[0].requires_grad_(False)
    assert "backbone.optical.layers.0.2.bias" not in rates(module, **DECAY)


def test_every_network_of_a_two_step_model_and_of_a_distillation(root):
    from mmcloudseg.engine.configs import load_config

    for leaf, prefixes in (
        ("two_step_mit-b0_mini", ("remover.backbone.sar", "segmentor.backbone.net")),
        ("cloudseg_mini", ("architecture.backbone.cross",)),
    ):
        found = rates(MODELS.build(load_config(str(root / f"configs/{leaf}.py")).model), **DECAY)
        for prefix in prefixes:
            assert found[f"{prefix}.layers.3.2.weight"] == 0.5


@pytest.mark.parametrize(("depths", "count"), [((3, 3, 9, 3), 6), ((3, 3, 27, 3), 12)])
def test_convnext_is_divided_as_in_mmseg(depths, count):
    blocks = [(stage, block) for stage, depth in enumerate(depths) for block in range(depth)]
    for stage, block in blocks:
        expected = get_layer_id_for_convnext(f"backbone.stages.{stage}.{block}.norm", count)
        assert _layer_of((stage, block), blocks, count) == expected
    for stage in range(4):
        expected = get_layer_id_for_convnext(f"backbone.downsample_layers.{stage}.0", count)
        assert _layer_of((stage, OPENS), blocks, count) == expected
        last = _layer_of((stage, depths[stage] - 1), blocks, count)
        assert _layer_of((stage, CLOSES), blocks, count) == last


def test_the_older_constructor():
    settings = dict(layer_decay_rate=0.5, num_layers=4)
    assert rates(model(), "LayerDecayOptimizerConstructor", **settings) == rates(model(), **DECAY)
    with pytest.raises(ValueError, match=r"optim_wrapper\.paramwise_cfg.*layer_decay_rate"):
        rates(model(), "LayerDecayOptimizerConstructor", num_layers=4)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (dict(num_layers=None), r"paramwise_cfg\.num_layers=None"),
        (dict(decay_rate=None), r"paramwise_cfg\.decay_rate=None"),
        (dict(decay_type="by_age"), r"decay_type='by_age'.*'stage_wise'"),
        (dict(decay_type="stage_wise", num_layers=3), r"num_layers=3.*4 stages of backbone"),
    ],
)
def test_settings_that_do_not_fit(changes, named):
    with pytest.raises(ValueError, match=named):
        rates(model(), **DECAY | changes)


@pytest.mark.parametrize("settings", [dict(type="UNet", base_channels=4), None])
def test_backbones_whose_layers_are_not_known(settings):
    module = model("SingleStreamBackbone", settings) if settings else nn.Linear(2, 2)
    kind = "UNet" if settings else "Linear"
    with pytest.raises(ValueError, match=rf"constructor: the layers of a {kind} .*backbones\.md"):
        rates(module, **DECAY)


def test_mmsegs_own_backbones_are_left_to_it():
    module = nn.Module()
    module.backbone = MODELS.build(
        dict(type="BEiT", img_size=(32, 32), embed_dims=8, num_layers=2, num_heads=2,
             out_indices=(1,), patch_size=16)
    )  # fmt: skip
    module.decode_head = nn.Conv2d(3, 3, 1)
    found = rates(module, **DECAY | dict(num_layers=2))
    assert found["backbone.layers.0.ffn.layers.1.bias"] == 0.5**2
    assert torch.tensor(found["decode_head.bias"]) == 0.5**0
