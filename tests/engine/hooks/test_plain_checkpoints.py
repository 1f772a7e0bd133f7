from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from torch.serialization import get_unsafe_globals_in_checkpoint

from mmcloudseg.engine.hooks import WholeCheckpointHook
from mmcloudseg.engine.runs import build_runner

ODD_SETTINGS = dict(
    optim_wrapper=dict(
        optimizer=dict(type="Adam", lr=np.float64(0.1), betas=(np.float64(0.9), 0.99))
    ),
    param_scheduler=[
        dict(
            type="MultiStepLR", milestones=[np.int64(1), 3], gamma=np.float64(0.5), by_epoch=False
        )
    ],
)


@pytest.mark.parametrize("hook", ["WholeCheckpointHook", "CheckpointHook"])
def test_whatever_hook_writes_it_a_checkpoint_is_plain(small_runner, monkeypatch, hook):
    made = small_runner(checkpoint=dict(type=hook, max_keep_ckpts=-1), **ODD_SETTINGS)
    monkeypatch.setattr(Runner, "from_cfg", lambda cfg: made)
    runner = build_runner(Config(dict(launcher="none")))
    runner.train()
    path = Path(runner.work_dir) / "iter_4.pth"
    monkeypatch.setattr("torch._weights_only_unpickler._marked_safe_globals_set", set())
    assert get_unsafe_globals_in_checkpoint(path) == []  # as in a process without this package
    content = torch.load(path, weights_only=True)
    assert content["meta"]["dataset_meta"]["folder"] == "data"
    assert type(content["state_dict"]) is OrderedDict and content["state_dict"]._metadata


def test_a_resumed_run_is_not_warned_of_its_own_metainfo(small_runner):
    small_runner(**ODD_SETTINGS).train()
    again = small_runner(max_iters=6, resume=True, **ODD_SETTINGS)
    said = []
    again.logger.warning = lambda text, *_: said.append(text)
    again.train()
    # The rate is 0.1, halved at 1 and at 3 as if there had been no stop.
    assert again.optim_wrapper.get_lr()["lr"][0] == pytest.approx(0.025)
    assert not [text for text in said if "metainfo" in text]


def test_a_resumed_run_is_warned_of_other_metainfo(small_runner):
    small_runner().train()
    again = small_runner(max_iters=6, resume=True)
    again._train_dataloader["dataset"].metainfo = dict(classes=("land", "water"))
    said = []
    again.logger.warning = lambda text, *_: said.append(text)
    again.train()
    assert [text for text in said if "metainfo" in text]


def test_our_hook_needs_no_other(small_runner, monkeypatch):
    made = small_runner()
    monkeypatch.setattr(Runner, "from_cfg", lambda cfg: made)
    hooks = [type(hook) for hook in build_runner(Config(dict(launcher="none"))).hooks]
    assert WholeCheckpointHook in hooks and len(hooks) == len(set(hooks))
    assert "PlainCheckpointsHook" not in [hook.__name__ for hook in hooks]
