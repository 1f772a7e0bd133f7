"""Robustness curves of a tiny, untrained model on a handful of images."""

from __future__ import annotations

import copy
import json

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.runner import Runner
from mmseg.registry import DATASETS, MODELS, TRANSFORMS

from mmcloudseg.benchmark.robustness import robustness
from mmcloudseg.benchmark.robustness_points import (
    Point,
    RobustnessSettings,
    list_points,
    pipeline_of,
    simulation_settings,
)
from mmcloudseg.engine.configs import load_config
from mmcloudseg.evaluation.metrics import CloudIoUMetric
from mmcloudseg.utils.config_types import type_name
from mmcloudseg.utils.errors import DataError

CONFIG = "configs/cloudseg_mini.py"
BASELINE = "configs/baselines/segformer_mit-b0_mini.py"


@pytest.fixture(scope="module")
def narrow():
    """Options of a student that is quick to run."""
    stream = dict(name="mit-b0", embed_dims=8, num_layers=[1, 1, 1, 1], _delete_=True)
    loader = {"num_workers": 0, "batch_size": 2, "persistent_workers": False}
    return {
        "model.backbone.stream": stream,
        "model.test_cfg": dict(mode="whole", cloud_free=True, _delete_=True),
        **{f"test_dataloader.{key}": value for key, value in loader.items()},
    }


@pytest.fixture(scope="module")
def tested(root, mini, narrow, tmp_path_factory):
    """(config, checkpoint, model, data set config) of the narrow student of the distillation."""
    config = str(root / CONFIG)
    cfg = load_config(config, data_root=str(mini))
    cfg.model = cfg.model.architecture
    cfg.merge_from_dict(narrow)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).eval()
    _answer_differently(model, DATASETS.build(cfg.test_dataloader.dataset))
    checkpoint = tmp_path_factory.mktemp("robustness") / "best.pth"
    torch.save(dict(state_dict=model.state_dict(), meta={}), checkpoint)
    return config, str(checkpoint), model, cfg.test_dataloader.dataset


def _answer_differently(model, samples):
    """An untrained network names one class everywhere; centred logits name each somewhere."""
    batch = model.data_preprocessor(pseudo_collate([samples[i] for i in range(len(samples))]))
    with torch.inference_mode():
        logits = model.decode_head(model.extract_feat(batch["inputs"]))
    mean, spread = logits.mean(dim=(0, 2, 3)), logits.std(dim=(0, 2, 3))
    last = model.decode_head.conv_seg
    last.weight.data /= spread[:, None, None, None]
    last.bias.data = (last.bias.data - mean) / spread


@pytest.fixture
def measure(tested, mini, narrow, tmp_path):
    def run(covers=(), kinds=(), missing=(), seed=0, **options):
        settings = RobustnessSettings(covers, kinds, missing, seed)
        return robustness(
            *tested[:2], tmp_path / "out", settings, narrow | options, data_root=str(mini)
        )

    return run


def by_hand(tested, change=lambda batch: None, **dataset):
    """Scores of the tested model, without any of the code under test."""
    _, _, model, described = tested
    joined = "datasets" in dataset
    samples = DATASETS.build(dataset if joined else {**described, **dataset})
    metric = CloudIoUMetric()
    metric.dataset_meta = samples.metainfo
    batch = pseudo_collate([samples[i] for i in range(len(samples))])
    change(batch)
    with torch.inference_mode():
        metric.process(None, [out.to_dict() for out in model.test_step(batch)])
    return metric.evaluate(len(samples))


def test_no_cover_is_the_clear_image(tested, measure):
    curve = measure([0, 100], ["thick", "fog"])
    clear = by_hand(tested, optical="cloud_free")
    for kind in ("thick", "fog"):
        assert curve.clouds[kind][0] == pytest.approx(
            {key: clear[key] for key in ("mIoU", "aAcc", "mFscore")}
        )
        assert curve.clouds[kind][100] != curve.clouds[kind][0]
    assert curve.clouds["thick"][100] != curve.clouds["fog"][100]
    ends = [scores["mIoU"] for scores in curve.clouds["fog"].values()]
    assert curve.auc["fog"] == pytest.approx(sum(ends) / 2)
    assert not curve.missing and not curve.own_clouds


def test_a_missing_modality_is_nan_in_the_inputs(tested, measure):
    curve = measure(missing=["optical", "sar"])
    for found, expected in (
        (curve.own_clouds, by_hand(tested)),
        (curve.missing["optical"], by_hand(tested, lambda b: _nan(b, slice(0, 4)))),
        (curve.missing["sar"], by_hand(tested, lambda b: _nan(b, slice(4, 6)))),
    ):
        assert found == pytest.approx({key: expected[key] for key in found})
    levels = [curve.own_clouds["aAcc"], *(s["aAcc"] for s in curve.missing.values())]
    assert len(set(levels)) == 3
    assert curve.clouds == {}


def test_joined_data_sets_are_measured_together(tested, measure):
    inner = [
        dict(tested[3], ann_file=f"{split}.csv", data_prefix=dict(img_path=split))
        for split in ("test", "val")
    ]
    repeated = dict(type="RepeatDataset", times=2, dataset=inner[1])
    joined = dict(type="ConcatDataset", datasets=[inner[0], repeated], _delete_=True)
    curve = measure([100], ["fog"], ["sar"], **{"test_dataloader.dataset": joined})
    expected = by_hand(tested, type="ConcatDataset", datasets=inner)
    assert curve.own_clouds == pytest.approx({key: expected[key] for key in curve.own_clouds})
    assert curve.own_clouds != measure(missing=["sar"]).own_clouds


def _nan(batch, bands):
    batch["inputs"] = [x.float() for x in batch["inputs"]]
    for x in batch["inputs"]:
        x[bands] = float("nan")


@pytest.mark.slow
def test_what_stands_for_nan_counts(measure):
    other = {"model.data_preprocessor.missing_val": 1.0}
    assert measure(missing=["optical"]).missing != measure(missing=["optical"], **other).missing


@pytest.mark.slow
def test_the_seed_draws_the_clouds(measure):
    one, again, other = (measure([50], ["thick"], seed=seed).clouds for seed in (0, 0, 1))
    assert one == again != other


def test_one_load_and_four_files(measure, tmp_path, monkeypatch):
    load, loaded = Runner.load_checkpoint, []

    def counted(runner, *args, **kwargs):
        loaded.append(runner.model.test_cfg.cloud_free)
        return load(runner, *args, **kwargs)

    monkeypatch.setattr(Runner, "load_checkpoint", counted)
    curve = measure([0, 50, 100], ["thick"], ["sar"])
    assert loaded == [False]  # once, and without the cloud-removal head's pass

    out = tmp_path / "out"
    content = json.loads((out / "robustness.json").read_text())
    assert [(p["kind"], p["cover"]) for p in content["points"]] == [
        ("thick", 0), ("thick", 50), ("thick", 100),
    ]  # fmt: skip
    assert content["points"][1]["mIoU"] == curve.clouds["thick"][50]["mIoU"]
    assert content["missing"] == curve.missing and content["auc"] == curve.auc
    assert (content["config"], content["samples"]) == ("cloudseg_mini.py", 2)
    assert content["simulated_clouds"]["gsd_m"] == 3
    assert "# Robustness of cloudseg_mini\n\n2 test images" in (out / "robustness.md").read_text()
    assert len((out / "robustness.csv").read_text().splitlines()) == 1 + 3 + 2
    assert (out / "robustness.png").stat().st_size > 5000
    assert not list(out.glob(".*"))


@pytest.mark.slow
def test_mmsegs_own_segmentor(root, mini, tmp_path):
    config = str(root / BASELINE)
    torch.manual_seed(0)
    state = MODELS.build(Config.fromfile(config).model).state_dict()
    torch.save(dict(state_dict=state), tmp_path / "best.pth")
    curve = robustness(
        config, str(tmp_path / "best.pth"), tmp_path / "out",
        RobustnessSettings([0, 100], ["thin"]), {"test_dataloader.num_workers": 0}, str(mini),
    )  # fmt: skip
    assert curve.missing["optical"] != curve.missing["sar"] != curve.own_clouds


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(covers=[0, 101]), r"covers: expected percent from 0 to 100, found \[0, 101\]"),
        (dict(covers=[-1]), r"covers: .*0 to 100, found \[-1\]"),
        (dict(kinds=["thick", "mist"]), r"kinds: expected some of \['thick'.* found \['mist'\]"),
        (dict(missing=["lidar"]), r"missing: expected some of .*found \['lidar'\]"),
        (dict(kinds=[], missing=[]), "covers .*kinds.*missing"),
        (dict(covers=[], missing=[]), "covers .*kinds.*missing"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        RobustnessSettings(**settings)


def test_points_are_measured_once_and_in_order():
    settings = RobustnessSettings([100, 0, 50, 50], ["thick", "fog", "thick"], ["sar"])
    assert settings.covers == (0, 50, 100) and settings.kinds == ("thick", "fog")
    assert [str(point) for point in list_points(settings)] == [
        "clear 0 %", "thick 50 %", "thick 100 %", "fog 50 %", "fog 100 %", "own clouds",
        "SAR missing",
    ]  # fmt: skip
    assert len(list_points(RobustnessSettings())) == 1 + 3 * 10 + 3


def test_pipelines(root):
    cfg = Config.fromfile(root / "configs/cloudseg_simulated_mini-luojia.py")
    steps = cfg.val_dataloader.dataset.pipeline
    thick = pipeline_of(steps, Point.under("thick", 30), cfg, seed=4)
    assert [step["type"] for step in thick] == [
        "LoadRasters", "SimulateClouds", "PackCloudSegInputs",
    ]  # fmt: skip
    assert (thick[1]["cover"], thick[1]["kind"], thick[1]["seed"]) == (0.3, "thick", 4)
    assert thick[1]["gsd_m"] == 10 and "clear_fraction" not in thick[1]
    # Its own clouds stay where it is tested under them.
    missing = pipeline_of(steps, Point(missing="sar"), cfg, seed=4)
    assert [step["type"] for step in missing][1:3] == ["SimulateClouds", "DropModality"]
    assert missing[1]["clear_fraction"] == 0.1
    Compose(thick), Compose(missing)
    # Types may be classes.
    named = copy.deepcopy(steps)
    for step in steps:
        step["type"] = TRANSFORMS.get(step["type"])
    for point in (Point.under("thick", 30), Point(missing="sar")):
        found, expected = (pipeline_of(given, point, cfg, seed=4) for given in (steps, named))
        assert list(map(type_name, found)) == list(map(type_name, expected))
    steps = named
    with pytest.raises(ValueError, match=r"LoadRasters \(only \['PackCloudSegInputs'\]\).*add it"):
        pipeline_of(steps[-1:], Point.under("thin", 10), cfg, 0)
    with pytest.raises(ValueError, match=r"PackCloudSegInputs \(only \['LoadRasters'\].*add it"):
        pipeline_of(steps[:1], Point(missing="sar"), cfg, 0)


@pytest.mark.parametrize("name", ["m3mcr", "whu-opt-sar", "luojia-osfcr"])
def test_every_data_set_says_how_clouds_look(root, name):
    cfg = Config.fromfile(root / f"configs/_base_/datasets/{name}.py")
    settings = simulation_settings(cfg)
    bands = cfg.network.backbone.bands.optical
    assert len(settings["wavelengths_um"]) == bands and settings["gsd_m"] > 0


def test_classes_as_types(tested, measure):
    """Data set and metric are found by their classes."""
    _, _, _, described = tested
    options = {
        "test_dataloader.dataset.type": DATASETS.get(described.type),
        "test_evaluator": [dict(type=CloudIoUMetric, ignore_index=254)],
    }
    by_class = measure(missing=["sar"], **options).own_clouds
    options["test_evaluator"] = [dict(type="CloudIoUMetric", ignore_index=254)]
    assert by_class == measure(missing=["sar"], **options).own_clouds


def test_data_and_config_are_checked_before_anything_is_measured(
    tested, measure, mini, narrow, tmp_path
):
    config, checkpoint = tested[:2]
    with pytest.raises(FileNotFoundError, match=r"checkpoint 'x\.pth' does not exist"):
        robustness(config, "x.pth", tmp_path, data_root=str(mini))
    with pytest.raises(DataError, match=r"make_mini_m3mcr\.py"):
        robustness(config, checkpoint, tmp_path, options=narrow, data_root="nowhere")
    with pytest.raises(ValueError, match=r"has no `simulated_clouds`.*gsd_m=…"):
        measure([50], ["thick"], simulated_clouds=None)
    torch.save(dict(state_dict=dict(x=torch.ones(1))), tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"other\.pth' .*name the config.*lacks \w+\."):
        robustness(
            config, str(tmp_path / "other.pth"), tmp_path / "out",
            RobustnessSettings(kinds=[]), narrow, str(mini),
        )  # fmt: skip
    with pytest.raises(ValueError, match=r"SegDataPreProcessor.*--no-missing"):
        measure(
            missing=["sar"],
            **{"model.data_preprocessor": dict(type="SegDataPreProcessor", _delete_=True)},
        )
    assert not list(tmp_path.rglob("robustness.*"))
