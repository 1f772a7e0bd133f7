from __future__ import annotations

import subprocess
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


STOCK = """
import numpy as np, pathlib, sys, torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
meta = dict(bands=ConfigDict(sar=('VV',)), folder=pathlib.Path('a/b'), sets={1},
            half=np.float16(0.5), counts=np.arange(2, dtype='u2'), kind=np.dtype('U3'))
hub = dict(log_scalars=dict(loss=HistoryBuffer([1.0, 3.0], [1, 1])))
torch.save(dict(meta=meta, message_hub=hub, state_dict={}), sys.argv[1])
assert 'mmcloudseg' not in sys.modules
"""


def test_what_mmengine_saved_without_this_package_is_read(tmp_path):
    path = tmp_path / "stock.pth"
    subprocess.run([sys.executable, "-c", STOCK, str(path)], check=True)
    read = torch.load(path, weights_only=True)
    meta, log = read["meta"], read["message_hub"]["log_scalars"]["loss"]
    assert meta["bands"].sar == ("VV",) and str(meta["folder"]) == "a/b"
    assert (
        meta["half"] == 0.5 and meta["counts"].tolist() == [0, 1] and meta["kind"].itemsize == 12
    )
    assert isinstance(log, HistoryBuffer) and log.mean() == 2.0 and log.max() == 3.0


def test_no_attribute_of_anything_is_reached_by_a_checkpoint(tmp_path):
    class Attack:
        def __reduce__(self):
            return getattr, (np.ndarray, "tofile")

    torch.save(dict(meta=Attack()), tmp_path / "evil.pth")
    assert torch.load(tmp_path / "evil.pth", weights_only=True)["meta"] is None


def test_arrays_saved_under_numpy_1_are_read(tmp_path):
    path = tmp_path / "a.pth"
    torch.save(dict(score=np.float64(61.5)), path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    names = (b"numpy._core.multiarray", b"numpy.core.multiarray")
    old, new = names if names[0] in content else names[::-1]
    path.write_bytes(content.replace(old, new))
    assert torch.load(path, weights_only=True)["score"] == 61.5
