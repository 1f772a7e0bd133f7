"""What networks and losses read from the samples of a batch."""

from __future__ import annotations

import torch
from mmseg.utils import SampleList
from torch import Tensor

_REMEDIES = {
    "gt_cloud_free": "add 'cloud_free' to LoadRasters(modalities=…)",
    "gt_cloud_mask": "set LoadRasters(with_mask=True)",
}


def stack_field(samples: SampleList, field: str) -> Tensor:
    """A field of all samples of a batch, N x C x H x W.

    Args:
        samples: The batch's samples.
        field: ``gt_cloud_free``, the normalised cloud-free image, or ``gt_cloud_mask``: 1 cloud,
            0 clear, 255 padded.

    Raises:
        ValueError: A sample does not have the field.
    """
    for sample in samples:
        if field not in sample:
            name = sample.metainfo.get("img_path", "a sample")
            raise ValueError(f"{name} has no '{field}', which the model needs: {_REMEDIES[field]}")
    return torch.stack([getattr(sample, field).data for sample in samples])


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
    clear = stack_field(samples, "gt_cloud_free").to(inputs)
    return torch.cat([clear, inputs[:, clear.shape[1] :]], dim=1)
