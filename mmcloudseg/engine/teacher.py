"""The teacher that a distillation config names: found, refused or to be trained first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmcloudseg.engine.checkpoints import BEST, newest_whole_checkpoint, same_data, training_data
from mmcloudseg.engine.configs import load_config, networks
from mmcloudseg.models.weights import read_checkpoint


def settle_teacher(cfg: Config, named: str | None, work_dir_given: bool) -> bool:
    """Decide which teacher checkpoint a distillation uses.

    Args:
        cfg: The distillation's config; its ``model.teacher_ckpt`` is set.
        named: The checkpoint that the user named, if any.
        work_dir_given: Whether the user named a work dir; the teacher then lies inside it.

    Returns:
        Whether it exists; if not, it has to be trained.

    Raises:
        FileNotFoundError: The user named a checkpoint that does not exist.
        ValueError: The checkpoint that is there cannot be read, or was trained on other data.
    """
    if named is not None:
        if not Path(named).is_file():
            raise FileNotFoundError(f"--teacher-ckpt '{named}' does not exist")
        cfg.model.teacher_ckpt = named
        return True
    if work_dir_given or cfg.model.get("teacher_ckpt") is None:
        cfg.model.teacher_ckpt = str(Path(cfg.work_dir) / "teacher" / BEST)
    checkpoint = Path(cfg.model.teacher_ckpt)
    if not checkpoint.is_file():
        return False
    trained_on = read_checkpoint(str(checkpoint)).get("meta", {}).get("data_root")
    if trained_on is not None and not same_data(trained_on, training_data(cfg)):
        raise ValueError(
            f"the teacher '{checkpoint}' was trained on '{trained_on}', this config trains on "
            f"'{training_data(cfg)}'. Give --work-dir DIR to train another teacher there, or "
            f"--teacher-ckpt {checkpoint} to use this one all the same"
        )
    return True


def teacher_config_path(cfg: Config) -> str:
    """The teacher's config file, which lies next to the distillation's.

    Raises:
        ValueError: The config names none.
    """
    if cfg.get("teacher_config") is None:
        raise ValueError(
            f"'{cfg.filename}' does not say how to train its teacher: add teacher_config = "
            "'<file next to it>', or name a checkpoint by --teacher-ckpt"
        )
    return str(Path(cfg.filename).parent / cfg.teacher_config)


def teacher_config(
    cfg: Config, options: Mapping[str, Any] | None, data_root: str | None, seed: int | None
) -> Config:
    """The config that trains the teacher, with the network that the distillation will load.

    ``cfg`` is the distillation's, with ``model.teacher_ckpt`` settled; the rest is what its
    command line says.

    Raises:
        ValueError: The teacher would be trained on other data.
    """
    # The teacher's network is the distillation's, and its work dir is its checkpoint's folder.
    own = ("model", "work_dir")
    options = {k: v for k, v in (options or {}).items() if k.split(".")[0] not in own}
    path, work_dir = teacher_config_path(cfg), str(Path(cfg.model.teacher_ckpt).parent)
    teacher = load_config(path, options, data_root, work_dir, seed, cfg.launcher)
    teacher.model = networks(cfg)[1]
    if not same_data(training_data(teacher), training_data(cfg)):
        raise ValueError(
            f"the teacher's config '{path}' trains on '{training_data(teacher)}', "
            f"'{cfg.filename}' on '{training_data(cfg)}'. Give both the same training data, or "
            "name a teacher's checkpoint by --teacher-ckpt"
        )
    # A teacher whose training was cut short goes on where it was.
    teacher.resume = newest_whole_checkpoint(teacher) is not None
    return teacher
