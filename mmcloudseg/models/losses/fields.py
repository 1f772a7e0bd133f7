"""The fields of a batch of samples that losses read."""

from __future__ import annotations

import torch
from mmseg.utils import SampleList
from torch import Tensor


def stack_cloud_free(samples: SampleList) -> Tensor:
    """The normalised cloud-free images, N x bands x H x W.

    Raises:
        ValueError: A sample has no ``gt_cloud_free``.
    """
    _require(samples, "gt_cloud_free", "add 'cloud_free' to LoadRasters(modalities=…)")
    return torch.stack([sample.gt_cloud_free.data for sample in samples])


def stack_cloud_mask(samples: SampleList) -> Tensor:
    """The cloud masks, N x 1 x H x W: 1 cloud, 0 clear, 255 padded.

    Raises:
        ValueError: A sample has no ``gt_cloud_mask``.
    """
    _require(samples, "gt_cloud_mask", "set LoadRasters(with_mask=True)")
    return torch.stack([sample.gt_cloud_mask.data for sample in samples])


def _require(samples: SampleList, field: str, remedy: str) -> None:
    for sample in samples:
        if field not in sample:
            name = sample.metainfo.get("img_path", "a sample")
            raise ValueError(f"{name} has no '{field}', which this loss needs: {remedy}")
