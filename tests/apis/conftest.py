"""Trainings of a few iterations on a handful of samples."""

from __future__ import annotations

import pytest

LOADER = dict(batch_size=2, num_workers=0, persistent_workers=False)


def shallow(prefix: str) -> dict:
    stream = dict(name="mit-b0", embed_dims=16, num_layers=[1, 1, 1, 1])
    return {f"{prefix}backbone.stream": dict(stream, _delete_=True)}


@pytest.fixture
def narrow():
    """``narrow(prefix)``: options that make the streams of ``<prefix>backbone`` narrow ones."""
    return shallow


@pytest.fixture
def few_iterations() -> dict:
    """Options that make any mini config train four iterations, validating every second."""
    options = {
        "train_cfg.max_iters": 4,
        "train_cfg.val_interval": 2,
        "default_hooks.checkpoint.interval": 2,
        "default_hooks.logger.interval": 1,
    }
    for name in ("train", "val", "test"):
        options |= {f"{name}_dataloader.{key}": value for key, value in LOADER.items()}
    return options


@pytest.fixture
def small_student(few_iterations) -> dict:
    """The same, and a narrow student (or teacher) of its own."""
    return few_iterations | shallow("model.")


@pytest.fixture
def small_distill(few_iterations) -> dict:
    """The same, and a narrow student of a distillation, whose teacher follows."""
    return few_iterations | shallow("model.architecture.")


@pytest.fixture
def student_config(root) -> str:
    return str(root / "configs/cloudseg_student_mini.py")


@pytest.fixture
def distill_config(root) -> str:
    return str(root / "configs/cloudseg_mini.py")
