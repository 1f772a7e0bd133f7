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
