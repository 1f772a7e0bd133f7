from __future__ import annotations

import pytest
import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from mmcloudseg.apis.test import test as run_test
from mmcloudseg.benchmark.robustness import robustness
from mmcloudseg.engine.configs import (
    datasets,
    is_distillation,
    load_config,
    networks,
    overfit_training_samples,
    parse_options,
    student_only,
    use_amp,
)
from mmcloudseg.engine.runs import RunSettings
from mmcloudseg.scenes.predictor import ScenePredictor


@pytest.fixture
def distill_config(root):
    return str(root / "configs/cloudseg_mini.py")


def test_options_as_mmengine_reads_them():
    options = parse_options(["a.b=1", "c=[1,2]", "d=x,y", "e=None", "f=1e-3"])
    assert options == {"a.b": 1, "c": [1, 2], "d": ["x", "y"], "e": None, "f": 1e-3}


def test_an_option_without_value():
    with pytest.raises(ValueError, match="KEY=VALUE, got 'train_cfg'"):
        parse_options(["train_cfg"])


@pytest.mark.parametrize("how", ["argument", "option"])
def test_data_root_reaches_every_dataset(distill_config, how):
    given = dict(data_root="d") if how == "argument" else dict(options=dict(data_root="d"))
    cfg = load_config(distill_config, **given)
    assert [dataset.data_root for dataset in datasets(cfg)] == ["d"] * 3


def joined(root, *data_roots: str) -> str:
    """A config that trains on several datasets, in ``RepeatDataset`` and ``ConcatDataset``."""
    inner = [f"dict(one, data_root={name!r})" for name in data_roots]
    return (
        f"_base_ = [{str(root / 'configs/cloudseg_none_mini.py')!r}]\n"
        "one = dict(_base_.train_dataloader.dataset)\n"
        "train_dataloader = dict(dataset=dict(_delete_=True, type='RepeatDataset', times=2, "
        f"dataset=dict(type='ConcatDataset', datasets=[{', '.join(inner)}])))\n"
    )


def test_data_root_reaches_datasets_inside_wrappers(root, tmp_path):
    (tmp_path / "joined.py").write_text(joined(root, "a", "a"))
    cfg = load_config(str(tmp_path / "joined.py"), data_root="d")
    assert [dataset.data_root for dataset in datasets(cfg)] == ["d"] * 4
    assert "data_root" not in cfg.train_dataloader.dataset
    assert "data_root" not in cfg.train_dataloader.dataset.dataset


def test_one_data_root_cannot_replace_two(root, tmp_path):
    (tmp_path / "joined.py").write_text(joined(root, "a", "b"))
    with pytest.raises(ValueError, match=r"train_dataloader.* a, b.*data_root of each dataset"):
        load_config(str(tmp_path / "joined.py"), data_root="d")


def test_overfit_takes_one_dataset(root, tmp_path):
    (tmp_path / "joined.py").write_text(joined(root, "a", "b"))
    with pytest.raises(ValueError, match=r"--overfit.*train_dataloader joins 2"):
        overfit_training_samples(load_config(str(tmp_path / "joined.py")))


def test_work_dir_and_seed(distill_config):
    cfg = load_config(distill_config)
    assert cfg.work_dir == "work_dirs/cloudseg_mini"
    cfg = load_config(distill_config, work_dir="w", seed=5)
    assert (cfg.work_dir, cfg.randomness.seed) == ("w", 5)


def test_no_such_config():
    with pytest.raises(FileNotFoundError, match=r"config 'x.py' does not exist.*configs/"):
        load_config("x.py")


def test_overfit_reads_the_training_list_everywhere(root):
    cfg = load_config(str(root / "configs/cloudseg_m3mcr.py"))
    overfit_training_samples(cfg)
    for dataset in datasets(cfg):
        assert dataset.ann_file == "train.csv"
        assert dataset.data_prefix.img_path == "train"
        assert "holdout_fraction" not in dataset
    student, teacher = networks(cfg)
    assert student.backbone.stream.drop_path_rate == teacher.backbone.stream.drop_path_rate == 0
    assert cfg.param_scheduler is None


def test_student_of_a_distillation(distill_config):
    cfg = load_config(distill_config)
    student = student_only(cfg)
    assert is_distillation(cfg)
    assert not is_distillation(student)
    assert student.model == cfg.model.architecture


def test_amp_without_a_gpu(distill_config, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ValueError, match=r"--amp .*GPU.*leave it out"):
        use_amp(load_config(distill_config))


def test_amp_with_a_gpu(distill_config, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    cfg = load_config(distill_config)
    use_amp(cfg)
    assert cfg.optim_wrapper.type == "AmpOptimWrapper"


def test_a_distillations_backbone_is_swapped_in_one_line(root):
    """The teacher follows the student, unless it names its own."""
    path = str(root / "configs/cloudseg_mini.py")
    key = "model.architecture.backbone.stream"
    student, teacher = networks(load_config(path, {key: "mscan-t"}))
    assert student.backbone.stream == teacher.backbone.stream == "mscan-t"
    assert student.backbone.pretrained is teacher.backbone.pretrained is False
    own = {key: "mscan-t", "model.teacher.backbone.stream": "swin-t"}
    assert networks(load_config(path, own))[1].backbone.stream == "swin-t"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mit-b1", "resnet-18", "swin-t", "mscan-t", "twins-svt-s"])
def test_any_family_trains_with_cloud_removal_by_one_option(root, name):
    """Heads take their numbers from the backbone; every parameter gets a gradient."""
    cfg = load_config(
        str(root / "configs/cloudseg_student_mini.py"), {"model.backbone.stream": name}
    )
    init_default_scope("mmseg")
    net = MODELS.build(cfg.model)
    features = net.extract_feat(torch.rand(2, 6, 128, 128))
    logits, image = net.decode_head(features), net.auxiliary_head(features)
    assert logits.shape[:2] == (2, 6)
    assert image.shape[:2] == (2, 4)
    (logits.mean() + image.mean()).backward()
    assert [n for n, p in net.named_parameters() if p.grad is None] == []


UNFIT = {
    "model.backbone.stream.type": "UNet",  # below a name
    "test_dataloader.batch_size.x": 1,  # below a number
    "test_dataloader.dataset.pipeline.first.type": "x",  # a name in a list
    "test_dataloader.dataset.pipeline.99.type": "x",  # past a list's end
    "model.test_cfg.crop_size.0": 3,  # a number in a tuple
}


@pytest.fixture(params=UNFIT)
def unfit(request):
    """An option that fits no part of the config, next to one that fits."""
    return {"test_dataloader.num_workers": 0, request.param: UNFIT[request.param]}


def refused(unfit):
    """The error names the key, the file and the remedy, in one line."""
    key = next(key for key in unfit if key in UNFIT)
    # No other key, and no line break.
    text = rf"--cfg-options {key}: .*cloudseg_student_mini\.py'.* replace [^\n]*\Z"
    return pytest.raises(ValueError, match=text)


@pytest.mark.parametrize("how", ["load_config", "test", "robustness", "ScenePredictor"])
def test_options_that_do_not_fit_are_one_line(root, unfit, how):
    config = str(root / "configs/cloudseg_student_mini.py")
    call = dict(
        load_config=lambda: load_config(config, unfit),
        test=lambda: run_test(config, "x.pth", RunSettings(options=unfit)),
        robustness=lambda: robustness(config, "x.pth", options=unfit),
        ScenePredictor=lambda: ScenePredictor(config, "x.pth", options=unfit),
    )
    with refused(unfit):
        call[how]()


def test_options_are_not_changed(root):
    """MMEngine takes `_delete_` out of what it merges: the same options serve a second time."""
    options = dict(train_cfg=dict(type="EpochBasedTrainLoop", max_epochs=1, _delete_=True))
    for _ in range(2):
        cfg = load_config(str(root / "configs/cloudseg_student_mini.py"), options)
        assert cfg.train_cfg == dict(type="EpochBasedTrainLoop", max_epochs=1)


CLASSES = """
from mmcloudseg.models import CloudSeg
from mmcloudseg.models.distillation import CloudFreeTeacherDistill
"""
DISTILLATION = """
model = dict(
    type=CloudFreeTeacherDistill, distiller=dict(), teacher=dict(type=CloudSeg, backbone=dict()),
    architecture=dict(type=CloudSeg, backbone=dict(stream='mit-b0')))
"""


def test_classes_as_types(root, tmp_path):
    """A pure Python config, whose classes are lazy, and one with a base, whose are not."""
    base = f"_base_ = ['{root / 'configs/cloudseg_mini.py'}']\n"
    for text in (CLASSES + DISTILLATION, base + CLASSES + DISTILLATION):
        path = tmp_path / f"{len(text)}.py"
        path.write_text(text)
        cfg = load_config(str(path))
        assert is_distillation(cfg)
        assert not is_distillation(student_only(cfg))
        assert networks(cfg)[1].backbone.stream == "mit-b0"
