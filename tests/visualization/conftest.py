"""A made-up sample with everything that a picture can show."""

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmcloudseg.visualization import CloudSegLocalVisualizer


@pytest.fixture
def visualizer():
    return CloudSegLocalVisualizer(classes=["water", "land"], palette=[[0, 0, 255], [0, 255, 0]])


@pytest.fixture
def scene():
    """Optical (4 x 20 x 20), SAR (2 x 20 x 20) and a full data sample, labels on 6 x 6."""
    rng = np.random.default_rng(0)
    truth = rng.random((4, 20, 20), dtype=np.float32) * 0.2
    optical = truth.copy()
    optical[:, :, 10:] += 0.5
    mask = np.zeros((1, 20, 20), np.uint8)
    mask[..., 10:] = 1
    label = rng.integers(0, 2, (1, 6, 6))
    label[0, 0, 0] = 255
    sample = SegDataSample(
        gt_sem_seg=PixelData(data=torch.from_numpy(label)),
        pred_sem_seg=PixelData(data=torch.from_numpy(np.where(label == 255, 0, label))),
    )
    sample.gt_cloud_free = PixelData(data=torch.from_numpy(truth))
    sample.pred_cloud_free = PixelData(data=torch.from_numpy(truth * 0.9))
    sample.gt_cloud_mask = PixelData(data=torch.from_numpy(mask))
    sample.set_metainfo(
        dict(
            sample_name="place",
            img_path="f/place.tif",
            band_layout=dict(optical=(0, 4), sar=(4, 6), cloud_free=(6, 10)),
        )
    )
    return optical, rng.random((2, 20, 20), dtype=np.float32), sample
