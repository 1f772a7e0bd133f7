"""Weights and inputs by rule, for the golden outputs in ``data/``."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmcloudseg.engine.reference_checkpoint import convert_file

DATA = Path(__file__).parent / "data"


def seeded(name: str) -> np.random.RandomState:
    """NumPy's legacy stream, which stays the same in every release, seeded by a name."""
    return np.random.RandomState(zlib.crc32(name.encode()) & 0xFFFFFFFF)


def weight(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """The value of one reference tensor, a function of its name and shape only."""
    leaf = key.rsplit(".", 1)[-1]
    if leaf == "num_batches_tracked":
        return torch.zeros(shape, dtype=torch.int64)
    random = seeded(key)
    if leaf == "running_var":
        value = 0.8 + 0.4 * random.random_sample(shape)
    elif leaf == "running_mean":
        value = 0.1 * random.standard_normal(shape)
    elif len(shape) <= 1:
        value = random.standard_normal(shape)
        value = 1.0 + 0.1 * value if leaf == "weight" else 0.05 * value
    else:
        before_relu = len(shape) == 4 and (".decoder." in key or "_msc." in key)
        gain = np.sqrt(2.0) if before_relu else 1.0
        value = random.standard_normal(shape) * (gain / np.sqrt(np.prod(shape[1:])))
        if len(shape) == 4 and "segmentation_head" in key:
            value = 3.0 * (value - value.mean(axis=(2, 3), keepdims=True))
    return torch.from_numpy(np.asarray(value, dtype=np.float32).reshape(shape))


def draw(name: str, shape: tuple[int, ...]) -> np.ndarray:
    return seeded(name).random_sample(shape).astype(np.float32)


def smooth(name: str, channels: int, size: int) -> np.ndarray:
    grid = draw(f"{name}/grid", (channels, 10, 10))
    coarse = grid.repeat(size // 10, axis=1).repeat(size // 10, axis=2)
    fine = draw(f"{name}/noise", (channels, size, size))
    return np.float32(0.8) * coarse + np.float32(0.2) * fine


class Sample:
    """One drawn sample, float64: cloudy, clear, sar, mask, label."""

    def __init__(self, tag: str, size: int) -> None:
        coarse = draw(f"{tag}/mask", (10, 10)) < 0.4
        mask = coarse.repeat(size // 10, axis=0).repeat(size // 10, axis=1)
        clear = np.float32(0.4) * smooth(f"{tag}/clear", 4, size)
        cloudy = np.where(mask, np.float32(0.3) * clear + np.float32(0.6), clear)
        sar = smooth(f"{tag}/sar", 2, size)
        label_size = size * 3 // 10
        classes, shares = [0, 1, 2, 3, 4, 5, 255], [0.25, 0.2, 0.15, 0.15, 0.1, 0.1, 0.05]
        label = seeded(f"{tag}/label").choice(classes, (label_size, label_size), p=shares)
        self.inputs = torch.from_numpy(np.concatenate([cloudy, sar])).double()
        self.clear_inputs = torch.from_numpy(np.concatenate([clear, sar])).double()
        self.data_sample = make_data_sample(
            label, torch.from_numpy(clear).double(), mask, (size, size)
        )


def make_data_sample(label, clear, mask, size) -> SegDataSample:
    sample = SegDataSample(
        metainfo=dict(ori_shape=tuple(label.shape), img_shape=size, img_path="drawn")
    )
    sample.gt_sem_seg = PixelData(data=torch.from_numpy(np.asarray(label)).long()[None])
    sample.gt_cloud_free = PixelData(data=clear)
    sample.gt_cloud_mask = PixelData(data=torch.from_numpy(np.asarray(mask)).to(torch.uint8)[None])
    return sample


@pytest.fixture(scope="session")
def golden():
    """The golden outputs: forward and sliding as arrays, losses as numbers."""
    return dict(
        forward=np.load(DATA / "forward.npz"),
        sliding=np.load(DATA / "sliding.npz"),
        losses=json.loads((DATA / "losses.json").read_text()),
    )


@pytest.fixture(scope="session")
def samples():
    """The drawn samples a, b (160 x 160) and c (300 x 300)."""
    return {tag: Sample(tag, size) for tag, size in (("a", 160), ("b", 160), ("c", 300))}


@pytest.fixture(scope="session")
def sample_maker():
    """Builds a data sample from arrays."""
    return make_data_sample


@pytest.fixture(scope="session")
def reference_network():
    """role -> the reference's state dict, as its checkpoints hold it."""

    def network(role: str) -> dict[str, torch.Tensor]:
        keys = json.loads((DATA / f"{role}_keys.json").read_text())
        return {f"module.{key}": weight(key, tuple(shape)) for key, shape in keys}

    return network


@pytest.fixture(scope="session")
def converted_files(reference_network, tmp_path_factory):
    """role -> path of our checkpoint, converted from a reference checkpoint file."""
    folder = tmp_path_factory.mktemp("converted")
    paths = {}
    for role in ("student", "teacher"):
        torch.save(dict(network=reference_network(role)), folder / f"reference_{role}.pth")
        paths[role] = folder / f"{role}.pth"
        convert_file(folder / f"reference_{role}.pth", paths[role])
    return paths


@pytest.fixture
def build(root, converted_files):
    """('student' | 'teacher' | 'distill', dtype) -> the converted network in eval mode."""

    def build_network(kind: str, dtype: torch.dtype = torch.float64):
        leaf = "cloudseg_mini" if kind == "distill" else f"cloudseg_{kind}_mini"
        cfg = Config.fromfile(root / f"configs/{leaf}.py").model
        parts = [cfg.architecture, cfg.teacher] if kind == "distill" else [cfg]
        for part in parts:
            if "stream" in part.backbone:
                part.backbone.stream = dict(name="mit-b0", drop_path_rate=0.0)
        if kind == "distill":
            cfg.teacher_ckpt = str(converted_files["teacher"])
        model = MODELS.build(cfg)
        student = model
        if kind == "distill":
            model.init_weights()  # loads the teacher
            student = model.architecture
        role = "teacher" if kind == "teacher" else "student"
        content = torch.load(converted_files[role], weights_only=True)
        student.load_state_dict(content["state_dict"])
        return model.to(dtype).eval()

    return build_network
