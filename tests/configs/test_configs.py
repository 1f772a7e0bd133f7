"""Every config that ships builds, and takes one step that reaches every parameter."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner
from mmseg.registry import DATASETS, METRICS, MODELS
from torch.utils.flop_counter import FlopCounterMode

from mmcloudseg.datasets.conversion.whu_tiles import CLOUD_SETTINGS
from mmcloudseg.engine.configs import datasets, is_distillation, load_config, networks
from mmcloudseg.models.backbones import stream_config

ROOT = Path(__file__).parents[2] / "configs"
BASELINES = sorted((ROOT / "baselines").glob("*.py"))
CONFIGS = [
    pytest.param(path, id=path.stem, marks=() if "_mini" in path.stem else pytest.mark.slow)
    for path in [*sorted(ROOT.glob("*.py")), *BASELINES]
]


@pytest.fixture(params=CONFIGS)
def cfg(request, mini_root, shallow):
    dataset_type = Config.fromfile(request.param).train_dataloader.dataset.type
    config = shallow(load_config(str(request.param), data_root=str(mini_root(dataset_type))))
    for dataset in datasets(config):
        if dataset.type == "M3MCRDataset":
            dataset.update(holdout_fraction=0.0, holdout="exclude")
    return config


def test_takes_one_step(cfg, take_one_step):
    take_one_step(cfg)


def test_predicts_on_the_label_grid(cfg):
    network = networks(cfg)[0]
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    model = MODELS.build(network).eval()
    data = model.data_preprocessor(pseudo_collate([dataset[0]]), training=False)
    with torch.no_grad():
        (result,) = model(**data, mode="predict")
    side = dict(M3MCRDataset=90, OpticalSARDataset=72).get(type(dataset).__name__, 256)
    assert result.pred_sem_seg.data.shape == result.gt_sem_seg.data.shape == (1, side, side)
    evaluators = cfg.test_evaluator.metrics
    asks = any(e.type == "CloudRemovalMetric" for e in evaluators)
    assert asks == ("pred_cloud_free" in result)
    for evaluator in evaluators:
        metric = METRICS.build(evaluator)
        metric.dataset_meta = dataset.metainfo
        metric.process({}, [result.to_dict()])
        assert metric.evaluate(1)


def test_runner_builds_its_parts(cfg, tmp_path):
    cfg.work_dir = str(tmp_path)
    for name in ("train_dataloader", "val_dataloader", "test_dataloader"):
        cfg[name].update(num_workers=0, persistent_workers=False, batch_size=2)
    runner = Runner.from_cfg(cfg)
    assert len(runner.build_dataloader(cfg.val_dataloader).dataset) > 0
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    assert runner.build_train_loop(runner._train_loop).max_iters > 0
    assert runner.build_param_scheduler(runner.param_schedulers)


@pytest.mark.parametrize("modalities", [["optical"], ["sar"]])
@pytest.mark.parametrize(
    "path", [p for p in BASELINES if "_b4" not in p.stem], ids=lambda path: path.stem
)
def test_baselines_of_one_modality_are_one_key(path, modalities):
    """The stream is built for the modality's bands, whatever the network."""
    options = {"model.backbone.modalities": modalities, "model.backbone.pretrained": False}
    backbone = load_config(str(path), options).model.backbone
    net = MODELS.build(backbone)
    bands = backbone.bands[modalities[0]]
    assert next(p for p in net.parameters() if p.ndim == 4).shape[1] == bands


@pytest.mark.parametrize("role", ["cloudseg", "cloudseg_student", "cloudseg_teacher"])
def test_leaves_of_one_role_differ_in_names_only(role):
    """One leaf tells a reader what the others say."""
    statements = set()
    for data in (
        "m3mcr",
        "whu-opt-sar",
        "luojia-osfcr",
        "mini",
        "mini-whu",
        "mini-luojia",
        "your_data",
    ):
        tree = ast.parse((ROOT / f"{role}_{data}.py").read_text())
        bases, *rest = map(ast.unparse, tree.body)
        assert bases.startswith("_base_ = ")
        statements.add("\n".join(rest).replace(f"_{data}", ""))
    assert len(statements) == 1


@pytest.mark.parametrize("data", ["m3mcr", "mini"])
def test_the_four_corners_of_the_ablation(root, data):
    """What each switches on, everything else alike."""
    corners = {}
    for name in ("none", "student", "distill-only", None):
        stem = f"cloudseg_{name}_{data}" if name else f"cloudseg_{data}"
        cfg = Config.fromfile(root / f"configs/{stem}.py")
        student = networks(cfg)[0]
        removes = student.get("auxiliary_head") is not None
        assert student.backbone.with_optical == removes == student.test_cfg.cloud_free
        corners[name] = (removes, is_distillation(cfg))
        assert student.backbone.spatial_gate
    assert corners == {
        "none": (False, False),
        "student": (True, False),
        "distill-only": (False, True),
        None: (True, True),
    }


def test_training_draws_the_clouds_that_the_converter_freezes(root):
    """A config cannot import: its numbers are the converter's, written down again."""
    clouds = Config.fromfile(root / "configs/cloudseg_whu-opt-sar.py").clouds
    for key in ("gsd_m", "wavelengths_um", "white"):
        assert np.array_equal(clouds[key], getattr(CLOUD_SETTINGS, key)), key


def test_the_papers_protocol(root):
    cfg = Config.fromfile(root / "configs/cloudseg_m3mcr.py")
    assert cfg.optim_wrapper.optimizer == dict(type="Adam", lr=1e-4)
    assert cfg.train_dataloader.batch_size == 32
    assert (cfg.train_cfg.max_epochs, cfg.train_cfg.val_interval) == (30, 2)
    assert cfg.param_scheduler[0].milestones == [10, 15, 20, 25]
    assert cfg.param_scheduler[0].gamma == 0.5
    assert cfg.randomness.seed == 911
    for network in networks(load_config(str(root / "configs/cloudseg_m3mcr.py"))):
        assert network.backbone.stream == "mit-b4"
    stream = stream_config("mit-b4")
    assert (stream["num_layers"], stream["drop_path_rate"]) == ([3, 8, 27, 3], 0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("depth", "kind", "parameters", "gflops"),
    [
        ("b0", "student", 16_382_778, 5.91),
        ("b0", "teacher", 13_550_758, 3.44),
        ("b4", "student", 196_606_906, 32.72),
        ("b4", "teacher", 190_954_534, 29.86),
    ],
)
def test_size_of_the_papers_networks(root, depth, kind, parameters, gflops):
    """As in the reference less what nothing reads; GFLOPs at 160 x 160, 2 per multiply-add."""
    data = dict(b0="mini", b4="m3mcr")[depth]
    cfg = Config.fromfile(root / f"configs/cloudseg_{kind}_{data}.py")
    model = MODELS.build(cfg.model).eval()
    assert sum(p.numel() for p in model.parameters()) == parameters
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        features = model.extract_feat(torch.rand(1, 6, 160, 160))
        model.decode_head(features)
        if model.with_auxiliary_head:
            model.auxiliary_head(features)
    assert counter.get_total_flops() / 1e9 == pytest.approx(gflops, abs=0.01)
