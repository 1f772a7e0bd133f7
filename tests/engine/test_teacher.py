"""The config that trains a distillation's teacher."""

from __future__ import annotations

from mmcloudseg.engine.configs import load_config
from mmcloudseg.engine.teacher import teacher_config


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
    assert teacher.model == cfg.model.teacher and "architecture" not in teacher.model
    # Options of the whole model are the distillation's too.
    whole = dict(model=dict(architecture=dict(backbone=dict(stream="mit-b1"))))
    assert "architecture" not in teacher_config(cfg, whole, None, None).model
