"""Fixtures of the whole suite."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmengine.registry import init_default_scope

import mmcloudseg  # noqa: F401  (registers everything)

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True, scope="session")
def mmseg_scope():
    """Types without a prefix are MMSeg's and ours, as in a Runner; tests run side by side."""
    init_default_scope("mmseg")
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Golden numbers and real samples that lie beside the project and are no part of it."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the folder ../shared (licensed samples and golden outputs)")
    return folder


@pytest.fixture(scope="session")
def mini(tmp_path_factory) -> Path:
    """A small mini data set: 4 training, 2 validation, 2 test samples."""
    from mmcloudseg.datasets.simulation import write_mini_m3mcr

    folder = tmp_path_factory.mktemp("data") / "mini"
    write_mini_m3mcr(folder, seed=0, counts=dict(train=4, val=2, test=2))
    return folder
