"""Segmentation scores from one confusion matrix over a whole set of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torchmetrics.functional.classification import multiclass_confusion_matrix

from mmcloudseg.utils.constants import CLOUD_FREE, CLOUDY, IGNORE_INDEX

REGIONS = ("all", "cloud_free", "cloudy")
"""The scored regions, in the order of ``region_matrices``."""


def confusion_matrix(
    label: Tensor, prediction: Tensor, num_classes: int, ignore_index: int = IGNORE_INDEX
) -> Tensor:
    """Count pixels by class of label and prediction.

    Args:
        label: Class indices of any shape. Pixels that are ``ignore_index``, negative or not below
            ``num_classes`` are not counted.
        prediction: Predicted class indices, in the shape of the label.
        num_classes: Number of classes K.
        ignore_index: Label value that is never counted.

    Returns:
        K x K int64 tensor, rows are labels, columns predictions.

    Raises:
        ValueError: If the prediction of a counted pixel is not one of the K classes.
    """
    label, prediction = label.reshape(-1).long(), prediction.reshape(-1).long()
    counted = (label >= 0) & (label < num_classes) & (label != ignore_index)
    label, prediction = label[counted], prediction[counted]
    wrong = (prediction < 0) | (prediction >= num_classes)
    if wrong.any():
        raise ValueError(
            f"found class {int(prediction[wrong][0])} in a prediction, expected 0 to "
            f"{num_classes - 1}, because the dataset has {num_classes} classes. Set num_classes "
            "of the decode head to that of the dataset, or the classes in the dataset's metainfo "
            "to those of the model."
        )
    # Without its checks: values are checked above, and they refuse a single class.
    return multiclass_confusion_matrix(prediction, label, num_classes, validate_args=False)


def mask_to_label_grid(cloud_mask: Tensor, size: Sequence[int]) -> Tensor:
    """Resample an H x W mask to the label grid, as uint8, in the way of the published scores.

    Plain ``nearest`` takes the source index floor(i * n_src / n_dst). Labels are resampled by the
    pixel-centre rule instead; 0.9 % of the mask pixels of M3M-CR differ between the two. The mask
    keeps the published rule so that scores can be compared.
    """
    images = cloud_mask[None, None].float()
    return F.interpolate(images, size=tuple(size), mode="nearest")[0, 0].byte()


def region_matrices(
    label: Tensor,
    prediction: Tensor,
    cloud_mask: Tensor | None,
    num_classes: int,
    ignore_index: int = IGNORE_INDEX,
) -> Tensor:
    """Confusion matrices of all, cloud-free and cloudy pixels, as in ``confusion_matrix``.

    Args:
        label: h x w class indices.
        prediction: h x w predicted class indices.
        cloud_mask: h x w mask on the label grid, or None, which leaves the two regions empty.
        num_classes: Number of classes K.
        ignore_index: Label value that is never counted.

    Returns:
        3 x K x K int64 tensor in the order of ``REGIONS``.
    """
    regions = [torch.ones_like(label, dtype=torch.bool)]
    for value in (CLOUD_FREE, CLOUDY):
        regions.append(torch.zeros_like(regions[0]) if cloud_mask is None else cloud_mask == value)
    return torch.stack(
        [confusion_matrix(label[r], prediction[r], num_classes, ignore_index) for r in regions]
    )


def cover_bin(cloud_mask: Tensor, edges: Sequence[int]) -> int | None:
    """Find the index of the cloud-cover bin of a sample, whose edges are rising percentages.

    A bin includes its lower edge and excludes its upper edge; the last bin includes both. The
    comparison uses whole numbers, so a cover of 20 % is in '20-40' whatever the size of the mask.
    None for a mask without a pixel of 0 or 1, or a cover outside the edges.
    """
    cloudy, known = _cloudy_and_known(cloud_mask)
    if known == 0:
        return None
    for index, (low, high) in enumerate(pairwise(edges)):
        last = index == len(edges) - 2
        below = 100 * cloudy <= high * known if last else 100 * cloudy < high * known
        if 100 * cloudy >= low * known and below:
            return index
    return None


def cover_percent(cloud_mask: Tensor) -> float:
    """Percentage of cloudy pixels among those that are cloudy or cloud-free; NaN without any."""
    cloudy, known = _cloudy_and_known(cloud_mask)
    return 100 * cloudy / known if known else float("nan")


def _cloudy_and_known(cloud_mask: Tensor) -> tuple[int, int]:
    """Number of cloudy pixels, and of those that are cloudy or cloud-free."""
    cloudy = int((cloud_mask == CLOUDY).sum())
    return cloudy, cloudy + int((cloud_mask == CLOUD_FREE).sum())


@dataclass(frozen=True)
class SampleConfusion:
    """Confusion matrices of one sample.

    Attributes:
        name: Name of the sample.
        area: Name shared by samples of the same ground, see ``OpticalSARDataset.area``.
        cover: Cloud cover in percent, on the optical grid; NaN without a mask.
        matrices: 3 x K x K int64 in the order of ``REGIONS``.
    """

    name: str
    area: str
    cover: float
    matrices: np.ndarray


@dataclass(frozen=True)
class Scores:
    """Scores of one confusion matrix as fractions in float64; NaN where a score is not defined.

    Attributes:
        overall_accuracy: Share of counted pixels that are classified correctly.
        mean_accuracy: Mean of ``accuracy`` over classes with labels.
        frequency_weighted_iou: Mean of ``iou`` weighted by label frequency.
        mean_iou: Mean of ``iou`` over classes that occur in labels or predictions.
        mean_fscore: Mean of ``fscore`` over the same classes.
        iou: K values, intersection over union by class.
        accuracy: K values, recall by class; NaN for a class without labels.
        fscore: K values, F-score by class.
        pixels: Number of counted pixels.
    """

    overall_accuracy: float
    mean_accuracy: float
    frequency_weighted_iou: float
    mean_iou: float
    mean_fscore: float
    iou: np.ndarray
    accuracy: np.ndarray
    fscore: np.ndarray
    pixels: int


def scores_from_confusion(matrix: np.ndarray | Tensor, beta: float = 1.0) -> Scores:
    """Compute all scores of one confusion matrix; those of an empty one are NaN.

    Args:
        matrix: K x K counts, rows are labels, columns predictions.
        beta: Weight of recall in the F-score.
    """
    counts = np.asarray(matrix, dtype=np.float64)
    hits, labels, predictions = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        accuracy = hits / labels
        iou = hits / (labels + predictions - hits)
        fscore = (1 + beta**2) * hits / (beta**2 * labels + predictions)
        frequency = labels / counts.sum()
        overall = hits.sum() / counts.sum()
    labelled = labels > 0
    # An empty sum would claim a score of 0 for a region without pixels.
    weighted = (frequency[labelled] * iou[labelled]).sum() if labelled.any() else np.nan
    return Scores(
        overall_accuracy=float(overall),
        mean_accuracy=_mean_of_defined(accuracy),
        frequency_weighted_iou=float(weighted),
        mean_iou=_mean_of_defined(iou),
        mean_fscore=_mean_of_defined(fscore),
        iou=iou,
        accuracy=accuracy,
        fscore=fscore,
        pixels=int(counts.sum()),
    )


def _mean_of_defined(values: np.ndarray) -> float:
    """Mean of the values that are not NaN; NaN without a warning if there are none."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")
