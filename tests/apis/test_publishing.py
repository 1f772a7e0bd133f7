"""What the processes of a training tell each other when it has ended."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import pytest
from mmengine.config import Config

module = importlib.import_module("mmcloudseg.apis.train")


@pytest.mark.parametrize("is_main", [True, False])
def test_a_failure_to_publish_ends_every_process(tmp_path, monkeypatch, is_main):
    told = []

    def broadcast(problem):
        told.append(list(problem))
        problem[0] = "OSError: disk full"  # what the main process sends

    def fail(runner):
        raise OSError("disk full")

    runner = SimpleNamespace(train=lambda: None, model=None)
    monkeypatch.setattr(module, "build_runner", lambda cfg: runner)
    monkeypatch.setattr(module, "refuse_idle_training", lambda runner: None)
    monkeypatch.setattr(module, "check_losses", lambda model: None)
    monkeypatch.setattr(module, "is_main_process", lambda: is_main)
    monkeypatch.setattr(module, "publish_best", fail)
    monkeypatch.setattr(module, "broadcast_object_list", broadcast)
    with pytest.raises(RuntimeError, match=r"best\.pth.*disk full"):
        module._train_one(Config(dict(work_dir=str(tmp_path))), check_values=False)
    # The main process reaches the exchange in spite of its error; the others would wait for it.
    assert told == [["OSError: disk full"] if is_main else [None]]
