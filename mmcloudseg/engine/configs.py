"""Configs as the tools change them: data root, device, the teacher of a distillation."""

from __future__ import annotations

import argparse
import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, ConfigDict, DictAction

from mmcloudseg.compat import import_mmrazor
from mmcloudseg.datasets.wrappers import inner_datasets
from mmcloudseg.engine.readable_config import ReadableConfig
from mmcloudseg.models.backbones.named_streams import stream_config
from mmcloudseg.models.distillation.configs import follow_student
from mmcloudseg.utils.config_types import type_name

DATALOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")


def parse_options(pairs: Sequence[str]) -> dict[str, Any]:
    """Read ``--cfg-options`` as MMEngine does: ``a.b=1 c=[1,2]`` to a dict of dotted keys.

    Raises:
        ValueError: A pair has no ``=``.
    """
    for pair in pairs:
        if "=" not in pair:
            raise ValueError(f"--cfg-options takes KEY=VALUE, got '{pair}'")
    parser = argparse.ArgumentParser()
    parser.add_argument("--cfg-options", nargs="*", action=DictAction, default={})
    return parser.parse_args(["--cfg-options", *pairs] if pairs else []).cfg_options


def load_config(
    path: str,
    options: Mapping[str, Any] | None = None,
    data_root: str | None = None,
    work_dir: str | None = None,
    seed: int | None = None,
    launcher: str = "none",
) -> Config:
    """Read a config and apply what the command line says.

    Args:
        path: The config file.
        options: ``--cfg-options``, dotted key to value; a ``data_root`` among them counts as the
            argument.
        data_root: Replaces the data root of every dataset.
        work_dir: Where results go; ``work_dirs/<config name>`` unless given here or in the config.
        seed: Replaces ``randomness.seed``.
        launcher: As in ``Runner``.

    Raises:
        FileNotFoundError: The config does not exist.
        ValueError: It is no valid Python, or the options do not fit it.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"config '{path}' does not exist; those that ship lie in configs/")
    try:
        cfg = ReadableConfig.of(Config.fromfile(path))
    except SyntaxError as error:
        raise ValueError(f"config '{path}' cannot be read ({error})") from error
    apply_options(cfg, options or {})
    data_root = data_root or (options or {}).get("data_root")
    if _names_mmrazor(cfg.to_dict()):
        import_mmrazor()
    if data_root is not None:
        _set_data_root(cfg, data_root)
    cfg.work_dir = work_dir or cfg.get("work_dir") or f"work_dirs/{Path(path).stem}"
    if seed is not None:
        cfg.setdefault("randomness", ConfigDict()).seed = seed
    cfg.launcher = launcher
    if launcher == "pytorch" and not torch.cuda.is_available():
        # MMEngine's default wrapper takes a GPU for granted.
        on_cpu = ConfigDict(type="MMDistributedDataParallel", device_ids=None)
        cfg.setdefault("model_wrapper_cfg", on_cpu)
    return cfg


def apply_options(cfg: Config, options: Mapping[str, Any]) -> None:
    """Apply ``--cfg-options``, dotted key to value, to a config in place.

    Raises:
        ValueError: A key does not fit the config, such as one below a stream's name.
    """
    try:
        # A copy, because MMEngine takes `_delete_` out of the values.
        cfg.merge_from_dict(copy.deepcopy(dict(options)))
    except (AttributeError, KeyError, TypeError) as error:
        if len(options) > 1:  # Name the key that does not fit, not all of them.
            for key, value in options.items():
                apply_options(copy.deepcopy(cfg), {key: value})
        raise ValueError(
            f"--cfg-options {', '.join(options)}: does not fit config '{cfg.filename}' ({error}). "
            "Give keys of dicts in the config, or replace a whole value that is not a dict"
        ) from error


def _names_mmrazor(node: Any) -> bool:
    """Whether a config names one of MMRazor's types outside of a distiller.

    A distiller is left out because building the distillation imports MMRazor, and a student that
    is tested or maps a scene does not need it.
    """
    if isinstance(node, Mapping):
        return str(node.get("type", "")).startswith("mmrazor.") or any(
            _names_mmrazor(value) for key, value in node.items() if key != "distiller"
        )
    return isinstance(node, list | tuple) and any(_names_mmrazor(value) for value in node)


def datasets(cfg: Config, loaders: Sequence[str] = DATALOADERS) -> Iterator[ConfigDict]:
    """The datasets of a run's dataloaders, also inside wrappers such as ``ConcatDataset``.

    What is changed in them changes ``cfg``.
    """
    for name in loaders:
        if cfg.get(name) is not None:
            yield from inner_datasets(cfg[name]["dataset"])


def _set_data_root(cfg: Config, data_root: str) -> None:
    """Replace the data root of every dataset, unless a dataloader joins several roots."""
    for name in DATALOADERS:
        roots = {str(dataset.get("data_root")) for dataset in datasets(cfg, [name])}
        if len(roots) > 1:
            raise ValueError(
                f"--data-root {data_root}: {name} joins datasets of the roots "
                f"{', '.join(sorted(roots))}, which one root cannot replace. Set the data_root of "
                "each dataset in the config"
            )
    cfg.data_root = data_root
    for dataset in datasets(cfg):
        dataset["data_root"] = data_root


def overfit_training_samples(cfg: Config) -> None:
    """Show whether the set-up can learn the training samples at all.

    Validation and test read the training list; drop path is off and the learning rate constant,
    both of which keep a network from learning by heart.

    Raises:
        ValueError: Training joins several datasets.
    """
    train, *others = datasets(cfg, ["train_dataloader"])
    if others:
        raise ValueError(
            f"--overfit reads the samples of one dataset, but train_dataloader joins "
            f"{1 + len(others)}: keep one of them"
        )
    for dataset in datasets(cfg):
        dataset.update({k: train[k] for k in ("ann_file", "data_prefix", "split") if k in train})
        dataset.pop("holdout_fraction", None)
        dataset.pop("holdout", None)
    for backbone in [network.backbone for network in networks(cfg)]:
        if "stream" in backbone:
            backbone.stream = stream_config(backbone.stream)
        stream = backbone.get("stream", backbone)
        if "drop_path_rate" in stream:
            stream["drop_path_rate"] = 0.0
    cfg.param_scheduler = None


def use_amp(cfg: Config) -> None:
    """Train in mixed precision.

    Raises:
        ValueError: There is no GPU, which MMEngine's ``AmpOptimWrapper`` needs.
    """
    if not torch.cuda.is_available():
        raise ValueError("--amp needs a GPU, and none was found: leave it out")
    cfg.optim_wrapper.type = "AmpOptimWrapper"
    cfg.optim_wrapper.setdefault("loss_scale", "dynamic")


def is_distillation(cfg: Config) -> bool:
    """Whether the config trains a student with a teacher."""
    return type_name(cfg.model) == "CloudFreeTeacherDistill"


def networks(cfg: Config) -> list[ConfigDict]:
    """The segmentors of a config as they are built: one, or student and teacher."""
    if not is_distillation(cfg):
        return [cfg.model]
    student = cfg.model.architecture
    return [student, follow_student(cfg.model.teacher, student)]


def student_only(cfg: Config) -> Config:
    """The config with the student in place of the distillation, for testing."""
    cfg = copy.deepcopy(cfg)
    if is_distillation(cfg):
        cfg.model = cfg.model.architecture
    return cfg
