"""A training small enough to run in every test: one weight, four samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch.utils.data import Dataset


class OneWeight(BaseModel):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, inputs, mode="tensor"):
        return dict(loss=((self.weight - torch.stack(inputs)) ** 2).mean())


class Numbers(Dataset):
    metainfo = dict(
        classes=("water", "land"),
        bands=ConfigDict(optical=["blue", "nir"], sar=("VV",)),
        folder=Path("data"),
        weights=np.float32(0.5),
        counts=np.arange(2),
        absent={None: None},
    )

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> dict:
        return dict(inputs=torch.tensor([float(index)]))


@pytest.fixture
def small_runner(tmp_path) -> Callable[..., Runner]:
    """``small_runner(max_iters=4, **settings)``: saves every second iteration, keeps one."""

    def make(max_iters: int = 4, checkpoint: dict | None = None, **settings) -> Runner:
        hook = dict(type="WholeCheckpointHook", by_epoch=False, interval=2, max_keep_ckpts=1)
        loader = dict(
            dataset=Numbers(), batch_size=2, num_workers=0,
            sampler=dict(type="InfiniteSampler", shuffle=False),
        )  # fmt: skip
        return Runner(
            **dict(
                model=OneWeight(),
                work_dir=str(tmp_path / "run"),
                train_dataloader=loader,
                train_cfg=dict(type="IterBasedTrainLoop", max_iters=max_iters),
                optim_wrapper=dict(optimizer=dict(type="Adam", lr=0.1)),
                default_hooks=dict(
                    checkpoint={**hook, **(checkpoint or {})}, logger=dict(type="LoggerHook")
                ),
                default_scope="mmseg",
                experiment_name=f"small_{np.random.default_rng().integers(1 << 60)}",
            )
            | settings
        )

    return make
