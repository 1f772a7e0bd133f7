from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mmcloudseg.datasets import M3MCRDataset


@pytest.fixture
def sample(tmp_path, make_m3mcr_tree) -> Callable:
    """``sample(size=40)``: the data_info of a made-up M3M-CR sample."""

    def make(size: int = 40, seed: int = 0) -> dict:
        root = make_m3mcr_tree(tmp_path / f"tree_{size}_{seed}", 1, 0, 0, size, seed)
        dataset = M3MCRDataset("train.csv", str(root), dict(img_path="train"))
        return dataset.get_data_info(0)

    return make


@pytest.fixture
def real_sample(shared) -> Callable:
    """``real_sample(split)``: the data_info of the published sample of train or test."""

    def make(split: str) -> dict:
        root: Path = shared / "m3mcr_sample"
        return M3MCRDataset(f"{split}.csv", str(root), dict(img_path=split)).get_data_info(0)

    return make
