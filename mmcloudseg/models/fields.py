"""What networks and losses read from the samples of a batch."""

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


def cloud_free_inputs(inputs: Tensor, samples: SampleList) -> Tensor:
    """The batch with its optical bands, which come first, replaced by the cloud-free image.

    The optical image is restored even where modality dropout has removed it. SAR is not: where it
    is missing it keeps the preprocessor's ``missing_val``, so that a teacher and its student both
    have to answer from the optical image alone.

    Args:
        inputs: N x (optical + SAR bands) x H x W.
        samples: With ``gt_cloud_free``, optical bands x H x W.

    Raises:
        ValueError: A sample has no ``gt_cloud_free``.
    """
    clear = stack_cloud_free(samples).to(inputs)
    return torch.cat([clear, inputs[:, clear.shape[1] :]], dim=1)


def _require(samples: SampleList, field: str, remedy: str) -> None:
    for sample in samples:
        if field not in sample:
            name = sample.metainfo.get("img_path", "a sample")
            raise ValueError(f"{name} has no '{field}', which the model needs: {remedy}")
