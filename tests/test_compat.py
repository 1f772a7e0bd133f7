from __future__ import annotations

import sys

import mmcv
import mmengine.runner.checkpoint as mmengine_checkpoint
import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from mmcloudseg import compat


def test_versions_and_recursion_limit_are_as_before():
    compat.import_mmrazor()
    import mmrazor
    from mmengine.utils import digit_version

    assert mmcv.__version__ != "2.1.0"
    assert mmrazor.digit_version is digit_version
    assert sys.getrecursionlimit() < 2**20


def test_log_buffers_come_back_without_running_code(tmp_path):
    buffer = HistoryBuffer(max_length=50)
    for value in (3.0, 1.0, 2.0):
        buffer.update(value)
    state = dict(log=buffer, best=np.float32(61.5), scores=np.array([1.0, 2.0]))
    torch.save(state, tmp_path / "a.pth")
    back = torch.load(tmp_path / "a.pth", weights_only=True)
    assert back["log"].data[0].tolist() == [3.0, 1.0, 2.0]
    assert back["log"].mean(2) == 1.5
    assert back["log"].max_length == 50
    assert back["best"] == np.float32(61.5)


def test_mmengine_never_runs_pickled_code(tmp_path):
    class Attack:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save(dict(state_dict={}, meta=Attack()), tmp_path / "evil.pth")
    with pytest.raises(Exception, match="weights_only"):
        mmengine_checkpoint.load_checkpoint(torch.nn.Linear(1, 1), str(tmp_path / "evil.pth"))
    assert not (tmp_path / "ran").exists()
    assert mmengine_checkpoint.load_url.keywords == dict(weights_only=True)
