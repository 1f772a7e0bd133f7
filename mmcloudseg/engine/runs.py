"""What a command line says about a run, and the runner that follows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmcloudseg.engine.configs import overfit_training_samples, use_amp


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
    """

    work_dir: str | None = None
    data_root: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    launcher: str = "none"
    overfit: bool = False
    amp: bool = False

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
    return Runner.from_cfg(cfg)
