"""What a shipped config has to do in a test: become small, and take one training step."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmseg.registry import DATASETS, MODELS

from mmcloudseg.models.backbones import stream_config


@pytest.fixture
def shallow() -> Callable[[Config], Config]:
    """``shallow(cfg)``: one block per stage of MiT and no download; everything else stays."""
    return _shallow


@pytest.fixture
def take_one_step() -> Callable[[Config], None]:
    """``take_one_step(cfg)``: the loss is finite, and reaches and moves the parameters."""
    return _take_one_step


def _shallow(cfg: Config) -> Config:
    for backbone in _backbones(cfg.model):
        backbone.stream = stream_config(backbone.stream)
        backbone.pretrained = False
        if backbone.stream.type == "MixVisionTransformer":
            backbone.stream.num_layers = [1, 1, 1, 1]
        if backbone.stream.type == "TIMMBackbone":
            pytest.importorskip("timm", reason="timm (requirements/optional.txt) is not installed")
    return cfg


def _backbones(model: ConfigDict) -> list[ConfigDict]:
    """Every backbone in a model's config that is made of streams."""
    found = [model] if "stream" in model else []
    for value in model.values():
        if isinstance(value, dict):
            found += _backbones(value)
    return found


def _take_one_step(cfg: Config) -> None:
    torch.manual_seed(0)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    model = MODELS.build(cfg.model).train()
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    before = {name: p.clone() for name, p in model.named_parameters()}

    batch = pseudo_collate([dataset[0], dataset[1]])
    losses = model(**model.data_preprocessor(batch, training=True), mode="loss")
    total, _ = model.parse_losses(losses)
    assert torch.isfinite(total)
    total.backward()
    assert [n for n, p in model.named_parameters() if p.grad is None] == []
    optim_wrapper.step()
    moved = [n for n, p in model.named_parameters() if not torch.equal(p, before[n])]
    assert len(moved) > 0.9 * len(before)
