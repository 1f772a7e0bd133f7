"""Fields of a sample that several metrics read and check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mmcloudseg.utils.samples import sample_name


def label_of(sample: Mapping[str, Any], values: Tensor, noun: str, metric: str) -> Tensor:
    """Return the h x w label of a sample on the device of the ... x h x w values to be scored.

    Args:
        sample: A sample as a dict, with ``gt_sem_seg`` (1 x h x w).
        values: What is scored.
        noun: What the values are, for the message of an error.
        metric: The metric that asks, for the message of an error.

    Raises:
        ValueError: If there is no label, or its size differs from that of the values.
    """
    name = sample_name(sample)
    if "gt_sem_seg" not in sample:
        raise ValueError(
            f"{name}: no gt_sem_seg to score against. Load labels in the pipeline (LoadRasters "
            f"with_label=True), or remove {metric} from the evaluator."
        )
    label = sample["gt_sem_seg"]["data"][0].to(values.device)
    if values.shape[-2:] != label.shape:
        raise ValueError(
            f"{name}: {noun} {tuple(values.shape[-2:])}, its label {tuple(label.shape)}. "
            "Predictions are made at ori_shape: set it to the shape of the label, as "
            "PackCloudSegInputs does."
        )
    return label


def cloud_mask_of(sample: Mapping[str, Any], like: Tensor) -> Tensor | None:
    """Return the H x W cloud mask of a sample on the device of a tensor; None without a mask."""
    if "gt_cloud_mask" not in sample:
        return None
    return sample["gt_cloud_mask"]["data"][0].to(like.device)
