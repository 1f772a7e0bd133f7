"""The teacher that a distillation config names."""

from __future__ import annotations

import pytest
import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from mmcloudseg.engine.checkpoints import training_data
from mmcloudseg.engine.configs import load_config, networks, overfit_training_samples
from mmcloudseg.engine.teacher import settle_teacher, teacher_config

STUDENT, TEACHER = "model.architecture.backbone.stream", "model.teacher.backbone.stream"


@pytest.mark.parametrize("own", [{}, {TEACHER: "resnet-18"}])
@pytest.mark.parametrize("overfit", [False, True])
def test_the_network_that_is_trained_is_the_one_that_is_loaded(root, tmp_path, own, overfit):
    options = {STUDENT: "mscan-t", **own}
    cfg = load_config(str(root / "configs/cloudseg_mini.py"), options)
    cfg.model.teacher_ckpt = str(tmp_path / "best.pth")
    if overfit:
        overfit_training_samples(cfg)
    teacher = teacher_config(cfg, options, None, None)
    init_default_scope("mmseg")
    trained = MODELS.build(teacher.model)
    torch.save(dict(state_dict=trained.state_dict()), tmp_path / "best.pth")
    distillation = MODELS.build(cfg.model)
    distillation.init_weights()  # refuses the checkpoint of another network
    assert str(distillation.teacher) == str(trained.eval())
    family = "ResNet" if own else "MSCAN"
    assert type(distillation.teacher.backbone.optical).__name__ == family


def test_only_options_of_the_model_and_the_work_dir_are_left_out(root, tmp_path):
    wrapper = dict(type="MMDistributedDataParallel", find_unused_parameters=True)
    options = {
        "model_wrapper_cfg": wrapper,
        "model_zoo.url": "mirror",
        "work_dirs_kept": 3,
        "train_cfg.max_iters": 7,
        "model.architecture.backbone.stream": "mit-b1",
        "work_dir": str(tmp_path / "student"),
    }
    cfg = load_config(str(root / "configs/cloudseg_mini.py"), options)
    cfg.model.teacher_ckpt = str(tmp_path / "teacher" / "best.pth")
    teacher = teacher_config(cfg, options, None, None)
    assert teacher.model_wrapper_cfg == wrapper
    assert teacher.model_zoo.url == "mirror" and teacher.work_dirs_kept == 3
    assert teacher.train_cfg.max_iters == 7
    assert teacher.work_dir == str(tmp_path / "teacher")
    assert teacher.model == networks(cfg)[1] and "architecture" not in teacher.model
    # Options of the whole model are the distillation's too.
    whole = dict(model=dict(architecture=dict(backbone=dict(stream="mit-b1"))))
    assert "architecture" not in teacher_config(cfg, whole, None, None).model


def test_a_teacher_of_other_data_is_not_trained(root, tmp_path):
    cfg = load_config(str(root / "configs/cloudseg_mini.py"))
    cfg.model.teacher_ckpt = str(tmp_path / "best.pth")
    one = cfg.train_dataloader.dataset
    other = dict(one, data_root="elsewhere")
    cfg.train_dataloader.dataset = dict(type="ConcatDataset", datasets=[one, other])
    with pytest.raises(ValueError, match=r"teacher_mini\.py'.*elsewhere.*--teacher-ckpt"):
        teacher_config(cfg, {}, None, None)


def test_the_order_of_joined_data_does_not_matter(root, tmp_path):
    cfg = load_config(str(root / "configs/cloudseg_mini.py"))
    one = cfg.train_dataloader.dataset
    both = [one, dict(one, data_root="elsewhere")]
    cfg.model.teacher_ckpt = str(tmp_path / "best.pth")
    cfg.train_dataloader.dataset = dict(type="ConcatDataset", datasets=both)
    trained_on = "; ".join(reversed(training_data(cfg).split("; ")))
    torch.save(dict(meta=dict(data_root=trained_on), state_dict={}), tmp_path / "best.pth")
    assert settle_teacher(cfg, None, work_dir_given=False)


def test_a_teacher_that_cannot_be_read(root, tmp_path):
    cfg = load_config(str(root / "configs/cloudseg_mini.py"))
    cfg.model.teacher_ckpt = str(tmp_path / "best.pth")
    (tmp_path / "best.pth").write_bytes(b"half a file")
    with pytest.raises(ValueError, match=r"best\.pth' cannot be read"):
        settle_teacher(cfg, None, work_dir_given=False)
