"""Configs of MMSeg's own zoo, changed only in bands, classes and data, train and test."""

from __future__ import annotations

import math
import re
from pathlib import Path

import mmseg
import pytest
import torch
from mmengine.config import Config

from mmcloudseg.apis.test import test as run_test
from mmcloudseg.apis.train import train
from mmcloudseg.engine.runs import RunSettings

ZOO = Path(mmseg.__file__).parent / ".mim" / "configs"
LEAVES = [
    "pspnet/pspnet_r18-d8_4xb4-80k_potsdam-512x512.py",
    "segformer/segformer_mit-b0_8xb1-160k_cityscapes-1024x1024.py",
    "swin/swin-tiny-patch4-window7_upernet_1xb8-20k_levir-256x256.py",
    "bisenetv2/bisenetv2_fcn_4xb4-160k_cityscapes-1024x1024.py",
    "ocrnet/ocrnet_hr18s_4xb2-40k_cityscapes-512x1024.py",
]
DATA_KEYS = [
    f"{split}_{part}" for split in ("train", "val", "test") for part in ("dataloader", "evaluator")
]
EXAMPLE = """
_base_ = [
    "{zoo}/_base_/models/bisenetv2.py",
    "{configs}/_base_/datasets/mini_m3mcr.py",
    "{configs}/_base_/schedules/schedule_mini.py",
    "{configs}/_base_/default_runtime.py",
]
classes = _base_.network.decode_head  # dict(num_classes=6)
model = dict(
    data_preprocessor=dict(_delete_=True, **_base_.network.data_preprocessor),
    pretrained=None,
    backbone=dict(in_channels=6),
    decode_head=classes,
    auxiliary_head=[dict(head, **classes) for head in _base_.model.auxiliary_head],
    test_cfg=dict(mode="slide", **_base_.network.test_cfg),
)
test_evaluator = _base_.land_cover_metrics
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not ZOO.is_dir(),
        reason="this installation of MMSegmentation came without its configs (mmseg/.mim)",
    ),
]


def heads(model: dict) -> list[dict]:
    found = []
    for name in ("decode_head", "auxiliary_head"):
        value = model.get(name) or []
        found += value if isinstance(value, list) else [value]
    return found


def on_our_data(leaf: Path, data: Config) -> Config:
    """The zoo's config with bands, classes and data of ours; nothing else is touched."""
    cfg = Config.fromfile(leaf)
    for key in DATA_KEYS:
        if key in data:
            cfg[key] = data[key]
    cfg.test_evaluator = data.land_cover_metrics
    cfg.model.data_preprocessor = data.network.data_preprocessor
    cfg.model.backbone.in_channels = sum(data.network.backbone.bands.values())
    for head in heads(cfg.model):
        head.update(data.network.decode_head)
    cfg.model.test_cfg.update(data.network.test_cfg)  # windows, where it slides
    cfg.model.pretrained = None  # no network in tests
    cfg.model.backbone.init_cfg = None
    return cfg


def two_iterations() -> dict:
    options = {
        "train_cfg.max_iters": 2,
        "train_cfg.val_interval": 2,
        "default_hooks.checkpoint.interval": 1,
        "default_hooks.checkpoint.max_keep_ckpts": 2,
        "default_hooks.logger.interval": 1,
    }
    for name in ("train", "val", "test"):
        loader = dict(batch_size=2, num_workers=0, persistent_workers=False)
        options |= {f"{name}_dataloader.{key}": value for key, value in loader.items()}
    return options


def trains_and_tests(config: Path, data_root: Path, work_dir: Path) -> None:
    options = two_iterations()
    best = train(
        str(config), RunSettings(work_dir=str(work_dir), options=options, data_root=str(data_root))
    )

    (log,) = work_dir.glob("2*/2*.log")
    losses = [float(x) for x in re.findall(r"Iter\(train\).*?  loss: (\S+)", log.read_text())]
    assert len(losses) == 2
    assert all(math.isfinite(loss) for loss in losses)
    first, last = (
        torch.load(work_dir / f"iter_{i}.pth", weights_only=True)["state_dict"] for i in (1, 2)
    )
    convs = [name for name, value in last.items() if value.ndim == 4]
    moved = [name for name in convs if not torch.equal(first[name], last[name])]
    assert last[convs[0]].shape[1] == 6
    assert len(moved) > 0.9 * len(convs)

    scores = run_test(
        str(config),
        str(best),
        RunSettings(work_dir=str(work_dir / "test"), options=options, data_root=str(data_root)),
    )
    for key in ("mIoU", "cloudy/mIoU", "cloud_free/mIoU", "calibration/ECE"):
        assert 0 <= scores[key] <= 100, key


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: Path(leaf).stem.split("_4xb")[0])
def test_a_config_of_the_zoo(leaf, root, mini, tmp_path):
    data = Config.fromfile(root / "configs/_base_/datasets/mini_m3mcr.py")
    path = tmp_path / Path(leaf).name
    on_our_data(ZOO / leaf, data).dump(path)
    trains_and_tests(path, mini, tmp_path / "run")


def test_a_config_that_inherits_from_the_zoo(root, mini, tmp_path):
    """By path: ``mmseg::`` finds the zoo only under the name of the official release."""
    path = tmp_path / "bisenetv2_mini.py"
    path.write_text(EXAMPLE.format(configs=root / "configs", zoo=ZOO))
    trains_and_tests(path, mini, tmp_path / "run")
