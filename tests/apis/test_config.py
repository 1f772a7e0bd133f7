from __future__ import annotations

import pytest

from mmcloudseg.apis.config import (
    datasets,
    is_distillation,
    load_config,
    networks,
    overfit_training_samples,
    parse_options,
    student_only,
    use_amp,
)


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
    with pytest.raises(ValueError, match="--amp needs a GPU"):
        use_amp(load_config(distill_config))


def test_amp_with_a_gpu(distill_config, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    cfg = load_config(distill_config)
    use_amp(cfg)
    assert cfg.optim_wrapper.type == "AmpOptimWrapper"
