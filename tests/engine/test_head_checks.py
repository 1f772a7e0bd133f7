"""Heads that do not fit the data are refused by the keys of their config."""

from __future__ import annotations

import pytest
import torch
from mmseg.registry import MODELS

from mmcloudseg.engine.configs import load_config
from mmcloudseg.engine.head_checks import check_classes, check_losses


@pytest.fixture
def config(root):
    """``config(leaf, **changes)``: a shipped config, the dots of the keys written as ``__``."""

    def load(leaf, **changes):
        options = {key.replace("__", "."): value for key, value in changes.items()}
        return load_config(str(root / f"configs/{leaf}.py"), options)

    return load


@pytest.mark.parametrize("number", [5, 7])
@pytest.mark.parametrize(
    ("leaf", "head"),
    [
        ("cloudseg_none_mini", "model.decode_head"),
        ("cloudseg_mini", "model.architecture.decode_head"),
        ("cloudseg_mini", "model.teacher.decode_head"),
        ("asanet_r18_mini", "model.auxiliary_head"),
        ("two_step_mit-b0_mini", "model.segmentor.decode_head"),
        ("baselines/ocrnet_hr18s_mini", "model.decode_head.0"),
    ],
)
def test_another_number_of_classes(config, leaf, head, number):
    cfg = config(leaf, **{f"{head}.num_classes": number})
    with pytest.raises(ValueError, match=rf"{head}\.num_classes={number}, .* 6 classes") as error:
        check_classes(cfg)
    assert f"set {head}.num_classes=6" in str(error.value)
    assert "train_dataloader.dataset.metainfo.classes" in str(error.value)


@pytest.mark.parametrize("loader", ["train_dataloader", "val_dataloader", "test_dataloader"])
def test_each_dataloader_counts(config, loader):
    cfg = config("cloudseg_none_mini", **{f"{loader}.dataset.level": "fine"})
    with pytest.raises(ValueError, match=rf"=6, .*{loader}\.dataset has 11 classes \(tree cover"):
        check_classes(cfg)
    others = {"train_dataloader", "val_dataloader", "test_dataloader"} - {loader}
    check_classes(cfg, sorted(others))


def test_a_dataset_in_a_wrapper(config):
    cfg = config("cloudseg_none_mini")
    inner = dict(cfg.train_dataloader.dataset, level="fine")
    cfg.train_dataloader.dataset = dict(type="RepeatDataset", times=2, dataset=inner)
    with pytest.raises(ValueError, match=r"11 classes"):
        check_classes(cfg)


def head(**settings):
    settings = dict(num_classes=3, in_channels=4, channels=4, num_convs=1) | settings
    model = torch.nn.Module()
    model.decode_head = MODELS.build(dict(type="FCNHead", **settings))
    return model


CROSS_ENTROPY = dict(type="LandCoverLoss")


@pytest.mark.parametrize(
    "settings",
    [
        dict(loss_decode=CROSS_ENTROPY),
        dict(loss_decode=[CROSS_ENTROPY, dict(type="DiceLoss"), dict(type="TverskyLoss")]),
        dict(sampler=dict(type="OHEMPixelSampler", thresh=0.7, min_kept=10)),
        dict(num_classes=2, out_channels=1, loss_decode=dict(CROSS_ENTROPY, use_sigmoid=True)),
        dict(num_classes=2, out_channels=1, loss_decode=dict(type="FocalLoss")),
    ],
)
def test_losses_that_teach(settings):
    model, state = head(**settings), torch.get_rng_state()
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    check_losses(model)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(weights[key], value) for key, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (dict(loss_decode=dict(CROSS_ENTROPY, class_weight=[1.0, 2.0])), "LandCoverLoss"),
        (dict(loss_decode=dict(type="OhemCrossEntropy")), "OhemCrossEntropy"),
        (
            dict(sampler=dict(type="OHEMPixelSampler"), loss_decode=dict(type="FocalLoss")),
            "FocalLoss",
        ),
        (dict(out_channels=1, loss_decode=CROSS_ENTROPY), "use_sigmoid=True"),
        (dict(out_channels=1, loss_decode=dict(type="LovaszLoss")), "loss_type='binary'"),
        (
            dict(out_channels=1, loss_decode=dict(type="CrossEntropyLoss", use_sigmoid=True,
                                                  class_weight=[1.0, 2.0])),
            "class_weight has 2 numbers",
        ),
    ],
)  # fmt: skip
def test_losses_that_cannot_be_computed(settings, named):
    with pytest.raises(ValueError, match=r"model\.decode_head\.loss_decode.*cannot be") as error:
        check_losses(head(num_classes=2 if "out_channels" in settings else 3, **settings))
    assert named in str(error.value)


def test_a_loss_that_leaves_a_single_channel_alone():
    model = head(num_classes=2, out_channels=1, loss_decode=dict(type="TverskyLoss"))
    with pytest.raises(ValueError, match=r"loss_decode \(TverskyLoss\), out_channels=1.*sigmoid"):
        check_losses(model)


def test_a_cascade_with_a_single_channel(config):
    cfg = config("baselines/ocrnet_hr18s_mini")
    for stage in cfg.model.decode_head:
        stage.update(num_classes=2, out_channels=1)
    with pytest.raises(ValueError, match=r"model\.decode_head: out_channels=1 in a cascade"):
        check_losses(MODELS.build(cfg.model))
