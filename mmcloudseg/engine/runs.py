"""What a command line says about a run, and the runner that follows it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmcloudseg.datasets.content_checks import check_contents
from mmcloudseg.datasets.names import built_datasets
from mmcloudseg.engine.configs import overfit_training_samples, use_amp
from mmcloudseg.engine.hooks.plain_checkpoints import PlainCheckpointsHook
from mmcloudseg.engine.model_description import value_ranges
from mmcloudseg.utils.errors import DataError


@dataclass(frozen=True)
class RunSettings:
    """What the user says about a run, whatever its config.

    Attributes:
        work_dir: Where logs and checkpoints go; ``work_dirs/<config name>`` unless given here or
            in the config.
        data_root: Replaces the data root of every dataset.
        options: ``--cfg-options``: dotted config keys and their values.
        seed: Of weights, crops and the order of samples; the config's unless given.
        launcher: ``none``, ``pytorch``, ``slurm`` or ``mpi``.
        overfit: Validate and test on the training samples, without drop path and at a constant
            learning rate.
        amp: Train in mixed precision, on a GPU.
        check_values: Look at some of the data before the run, and refuse values in another unit
            than the model's, cloud masks and labels that do not fit.
    """

    work_dir: str | None = None
    data_root: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    launcher: str = "none"
    overfit: bool = False
    amp: bool = False
    check_values: bool = True

    def adjust(self, cfg: Config) -> None:
        """Change a config for ``overfit`` and ``amp``.

        Raises:
            ValueError: The config or the machine does not allow it.
        """
        if self.overfit:
            overfit_training_samples(cfg)
        if self.amp:
            use_amp(cfg)


def build_runner(cfg: Config) -> Runner:
    """Build MMEngine's runner, which also starts the processes of a distributed run.

    Args:
        cfg: A whole config with its ``launcher``.
    """
    on_cpu = cfg.launcher == "pytorch" and not torch.cuda.is_available()
    if on_cpu and not torch.distributed.is_initialized():
        torch.distributed.init_process_group("gloo")  # MMEngine's launcher takes a GPU for granted
    runner = Runner.from_cfg(cfg)
    if not any(isinstance(hook, PlainCheckpointsHook) for hook in runner.hooks):
        runner.register_hook(PlainCheckpointsHook())  # the config names another checkpoint hook
    return runner


def check_data(runner: Runner, splits: Sequence[str]) -> None:
    """Look at some samples of a run's datasets, warn of what is odd and refuse what is wrong.

    Args:
        runner: The run.
        splits: ``train``, ``val``, ``test``: whose datasets to look at.

    Raises:
        DataError: In every process, if values are in another unit than the model's, or cloud masks
            or labels do not fit.
    """
    found: list[list[str]] = [[]]
    if is_main_process():
        found = [_problems(runner, splits)]
    broadcast_object_list(found)  # the other processes would wait for ever
    if found[0]:
        remedy = "Correct the files or the config; --no-value-check skips this check."
        raise DataError.from_problems("data that do not fit the model", found[0], remedy)


def _problems(runner: Runner, splits: Sequence[str]) -> list[str]:
    model = runner.cfg.model
    ranges = value_ranges(model.get("architecture") or model)
    problems: dict[str, None] = {}
    warned: dict[str, None] = {}
    for split in splits:
        if runner.cfg.get(f"{split}_dataloader") is None:
            continue
        loader = getattr(runner, f"{split}_dataloader")
        for dataset in built_datasets(loader.dataset):
            report = check_contents(dataset, ranges)
            problems.update(dict.fromkeys(report.problems))
            warned.update(dict.fromkeys(report.warnings))
    for text in warned:
        print_log(text, logger="current", level=logging.WARNING)
    return list(problems)
