from __future__ import annotations

import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS

from mmcloudseg.scenes import network
from mmcloudseg.scenes.network import TileNetwork


@pytest.mark.parametrize(
    ("gpus", "rank", "expected"), [(0, "1", "cpu"), (2, "", "cuda:0"), (2, "3", "cuda:1")]
)
def test_default_device(monkeypatch, gpus, rank, expected):
    """Processes that share a machine take its GPUs in turn."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    if rank:
        monkeypatch.setenv("LOCAL_RANK", rank)
    assert network._default_device() == expected


def test_the_cloud_free_image_is_made_when_asked_for(root, tmp_path):
    """And the model's own test_cfg stays as it was."""
    config = str(root / "configs/cloudseg_student_mini.py")
    model = MODELS.build(Config.fromfile(config).model)
    torch.save(dict(meta={}, state_dict=model.state_dict()), tmp_path / "student.pth")
    tiles = TileNetwork(config, str(tmp_path / "student.pth"), "cpu")
    before = dict(tiles.model.test_cfg)
    batch = torch.rand(2, 6, 128, 128).mul(1000).numpy()
    logits = tiles(batch)
    both = tiles(batch, restore=True)
    assert logits.shape == (2, 6, 128, 128) and both.shape == (2, 10, 128, 128)
    assert torch.equal(both[:, :6], logits)
    assert dict(tiles.model.test_cfg) == before
    assert tiles.can_restore and tiles.seconds > 0
