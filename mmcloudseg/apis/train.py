"""Training: the teacher first where a distillation lacks it, then the model itself."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.logging import print_log

from mmcloudseg.datasets.pipeline_checks import check_datasets
from mmcloudseg.engine.checkpoints import (
    BEST,
    newest_whole_checkpoint,
    publish_best,
    set_earlier_best_aside,
)
from mmcloudseg.engine.configs import DATALOADERS, is_distillation, load_config
from mmcloudseg.engine.head_checks import check_classes, check_losses
from mmcloudseg.engine.loaders import refuse_idle_training
from mmcloudseg.engine.runs import RunSettings, build_runner, check_data
from mmcloudseg.engine.teacher import settle_teacher, teacher_config, teacher_config_path


def train(
    config: str,
    run: RunSettings | None = None,
    *,
    resume: bool = False,
    teacher_ckpt: str | None = None,
    auto_teacher: bool = True,
) -> Path:
    """Train what a config says.

    Args:
        config: The config file.
        run: Work dir, data root, options and the like.
        resume: Resume an interrupted run from the newest checkpoint in the work dir, if there is
            one.
        teacher_ckpt: The teacher's checkpoint of a distillation.
        auto_teacher: Train the teacher first if its checkpoint is missing.

    Returns:
        The path of ``best.pth``.

    Raises:
        FileNotFoundError: A file that the config or the user names is missing.
        ValueError: Data, teacher or options do not fit together, or a pipeline spoils bands.
    """
    run = run or RunSettings()
    cfg = load_config(config, run.options, run.data_root, run.work_dir, run.seed, run.launcher)
    cfg.resume = resume
    run.adjust(cfg)
    check_classes(cfg)
    for name in DATALOADERS:  # before a teacher trains for hours
        if cfg.get(name) is not None:
            check_datasets(cfg[name]["dataset"])
    if is_distillation(cfg):
        if not settle_teacher(cfg, teacher_ckpt, run.work_dir is not None):
            if not auto_teacher:
                raise FileNotFoundError(_teacher_missing(cfg))
            teacher = teacher_config(cfg, run.options, run.data_root, run.seed)
            run.adjust(teacher)
            missing, path = cfg.model.teacher_ckpt, teacher_config_path(cfg)
            _say(f"No teacher at {missing}: training it first ({path}), then the student.")
            cfg.model.teacher_ckpt = str(_train_one(teacher, run.check_values))
        _say(f"Training the student with the teacher {cfg.model.teacher_ckpt}.")
    elif teacher_ckpt is not None:
        raise ValueError(f"--teacher-ckpt: '{config}' trains without a teacher")
    return _train_one(cfg, run.check_values)


def _train_one(cfg: Config, check_values: bool) -> Path:
    if cfg.get("resume") and cfg.get("load_from") is None:
        checkpoint = newest_whole_checkpoint(cfg)
        cfg.load_from, cfg.resume = checkpoint and str(checkpoint), checkpoint is not None
        if checkpoint is None:
            _say(f"No checkpoint to resume from in {cfg.work_dir}: training starts anew.")
    runner = build_runner(cfg)
    refuse_idle_training(runner)
    check_losses(runner.model)
    if check_values:
        check_data(runner, ("train", "val"))
    if is_main_process() and not cfg.get("resume"):
        set_earlier_best_aside(cfg.work_dir)
    runner.train()
    problem: list[str | None] = [None]
    if is_main_process():
        try:
            _say(f"Finished: {publish_best(runner)}")
        except Exception as error:
            problem = [f"{type(error).__name__}: {error}"]
    broadcast_object_list(problem)  # the other processes would wait for ever
    if problem[0] is not None:
        raise RuntimeError(f"training has finished, but {BEST} was not written. {problem[0]}")
    return Path(cfg.work_dir) / BEST


def _teacher_missing(cfg: Config) -> str:
    work_dir = Path(cfg.model.teacher_ckpt).parent
    return (
        f"the teacher's checkpoint '{cfg.model.teacher_ckpt}' is missing. Train it:\n"
        f"  python tools/train.py {teacher_config_path(cfg)} --work-dir {work_dir}\n"
        "or leave out --no-auto-teacher"
    )


def _say(text: str) -> None:
    print_log(text, logger="current")
