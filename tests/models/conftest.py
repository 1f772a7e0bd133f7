"""Small networks and drawn batches."""

from __future__ import annotations

import pytest
import torch
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample


@pytest.fixture
def small_models(root):
    """student, teacher and distill of the shipped configs, with narrow streams."""
    leaves = dict(
        student="cloudseg_student_mini", teacher="cloudseg_teacher_mini", distill="cloudseg_mini"
    )
    cfg = Config(
        {part: Config.fromfile(root / f"configs/{leaf}.py").model for part, leaf in leaves.items()}
    )
    stream = dict(name="mit-b0", embed_dims=16, num_layers=[1, 1, 1, 1])
    for part in (cfg.student, cfg.teacher, cfg.distill.architecture):
        part.backbone.stream = stream
    return cfg


@pytest.fixture
def batch():
    """(n, size) -> normalised inputs and samples with every field."""

    def make(n: int = 2, size: int = 160):
        torch.manual_seed(0)
        label_size = size * 3 // 10
        samples = []
        for _ in range(n):
            sample = SegDataSample(
                metainfo=dict(
                    img_path="a.tif",
                    ori_shape=(label_size, label_size),
                    img_shape=(size, size),
                )
            )
            label = torch.randint(0, 6, (1, label_size, label_size))
            sample.gt_sem_seg = PixelData(data=label)
            sample.gt_cloud_free = PixelData(data=torch.rand(4, size, size))
            cloudy = torch.rand(1, size, size) < 0.4
            sample.gt_cloud_mask = PixelData(data=cloudy.to(torch.uint8))
            samples.append(sample)
        return torch.rand(n, 6, size, size), samples

    return make
