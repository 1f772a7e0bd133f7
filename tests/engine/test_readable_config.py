from __future__ import annotations

import enum
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmcloudseg.engine.configs import load_config
from mmcloudseg.engine.readable_config import ReadableConfig


class Season(enum.Enum):
    FALL = "fall"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Path("/data/mine"), "/data/mine"),
        (Path("mine"), "mine"),
        ({None: 1}, {None: 1}),
        (Season.FALL, "fall"),
        (range(2), [0, 1]),
        ([np.float32(0.5), np.arange(2)], [0.5, [0, 1]]),
        (np.dtype("f4"), "float32"),
        (torch.ones(2), [1.0, 1.0]),
        (Path, "pathlib.Path"),
    ],
)
def test_the_text_of_odd_values_is_read_back(tmp_path, value, text):
    cfg = ReadableConfig(dict(dataset=dict(metainfo=dict(odd=value)), other=(1, "a")))
    cfg.dump(tmp_path / "dumped.py")
    back = Config.fromfile(tmp_path / "dumped.py")
    assert back.dataset.metainfo.odd == text and back.other == (1, "a")


def test_any_other_text_is_mmengines(root):
    path = root / "configs/cloudseg_mini.py"
    cfg = load_config(str(path), work_dir="x")
    stock = Config.fromfile(path)
    stock.work_dir, stock.launcher = "x", "none"
    assert isinstance(cfg, ReadableConfig)
    assert cfg.pretty_text == stock.pretty_text
    assert isinstance(pickle.loads(pickle.dumps(cfg)), ReadableConfig)
