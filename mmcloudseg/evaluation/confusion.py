"""Segmentation scores from one confusion matrix over a whole set of pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mmcloudseg.utils.constants import CLOUD_FREE, CLOUDY, IGNORE_INDEX

REGIONS = ("all", "cloud_free", "cloudy")
"""The regions that are scored, in the order of `region_matrices`."""


def confusion_matrix(
    label: Tensor, prediction: Tensor, num_classes: int, ignore_index: int = IGNORE_INDEX
) -> Tensor:
    """Count pixels by class of label and prediction.

    Args:
        label: Class indices of any shape. Pixels that are ``ignore_index``, negative or not below
            ``num_classes`` are not counted.
        prediction: Predicted class indices, of the label's shape.
        num_classes: Number of classes K.
        ignore_index: Label value that is never counted.

    Returns:
        K x K int64 tensor, rows are labels, columns predictions.

    Raises:
        ValueError: If a counted pixel's prediction is not one of the K classes.
    """
    label, prediction = label.reshape(-1).long(), prediction.reshape(-1).long()
    counted = (label >= 0) & (label < num_classes) & (label != ignore_index)
    label, prediction = label[counted], prediction[counted]
    wrong = (prediction < 0) | (prediction >= num_classes)
    if wrong.any():
        raise ValueError(
            f"found class {int(prediction[wrong][0])} in a prediction, expected 0 to "
            f"{num_classes - 1}: the data set names {num_classes} classes. Set the decode head's "
            "num_classes to the data set's, or its metainfo to the model's."
        )
    pairs = torch.bincount(label * num_classes + prediction, minlength=num_classes**2)
    return pairs.reshape(num_classes, num_classes)


def mask_to_label_grid(cloud_mask: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring a cloud mask to the label grid the way the published scores do.

    Plain ``nearest`` takes source index floor(i * n_src / n_dst). Labels move between the grids by
    the pixel-centre rule instead, and 0.9 % of M3M-CR's mask pixels differ between the two: kept
    as published, so that scores compare.

    Args:
        cloud_mask: H x W mask of any integer or bool type.
        size: Height and width of the label grid.

    Returns:
        h x w uint8 mask.
    """
    return F.interpolate(cloud_mask[None, None].float(), size=size, mode="nearest")[0, 0].byte()


def region_matrices(
    label: Tensor,
    prediction: Tensor,
    cloud_mask: Tensor | None,
    num_classes: int,
    ignore_index: int = IGNORE_INDEX,
) -> Tensor:
    """Confusion matrices of all, cloud-free and cloudy pixels.

    Args:
        label: h x w class indices.
        prediction: h x w predicted class indices.
        cloud_mask: h x w mask on the label grid, or None: the two regions then stay empty.
        num_classes: Number of classes K.
        ignore_index: Label value that is never counted.

    Returns:
        3 x K x K int64 tensor in the order of `REGIONS`.
    """
    regions = [torch.ones_like(label, dtype=torch.bool)]
    for value in (CLOUD_FREE, CLOUDY):
        regions.append(torch.zeros_like(regions[0]) if cloud_mask is None else cloud_mask == value)
    return torch.stack(
        [confusion_matrix(label[r], prediction[r], num_classes, ignore_index) for r in regions]
    )


def cover_bin(cloud_mask: Tensor, edges: Sequence[int]) -> int | None:
    """Find the cloud-cover bin of a sample.

    A bin holds its lower edge and not its upper one, but for the last, which holds both. The
    comparison is made in whole numbers, so 20 % cover is in '20-40' whatever the mask's size.

    Args:
        cloud_mask: Mask on its own grid. Values other than 0 and 1 don't count as pixels.
        edges: Edges of the bins in percent, rising.

    Returns:
        Index of the bin; None for a mask without a pixel of 0 or 1, or cover outside the edges.
    """
    cloudy = int((cloud_mask == CLOUDY).sum())
    known = cloudy + int((cloud_mask == CLOUD_FREE).sum())
    if known == 0:
        return None
    for index, (low, high) in enumerate(pairwise(edges)):
        last = index == len(edges) - 2
        below = 100 * cloudy <= high * known if last else 100 * cloudy < high * known
        if 100 * cloudy >= low * known and below:
            return index
    return None


def cover_percent(cloud_mask: Tensor) -> float:
    """Share of cloudy pixels among those that are cloudy or clear, in percent; nan of none."""
    cloudy = int((cloud_mask == CLOUDY).sum())
    known = cloudy + int((cloud_mask == CLOUD_FREE).sum())
    return 100 * cloudy / known if known else float("nan")


@dataclass(frozen=True)
class SampleConfusion:
    """Confusion matrices of one sample.

    Attributes:
        name: The sample's name.
        area: What samples of the same ground share, see ``OpticalSARDataset.area``.
        cover: Cloud cover in percent, on the optical grid; nan without a mask.
        matrices: 3 x K x K int64 in the order of `REGIONS`.
    """

    name: str
    area: str
    cover: float
    matrices: np.ndarray


@dataclass(frozen=True)
class Scores:
    """Scores of one confusion matrix as fractions in float64; nan where nothing is defined.

    Attributes:
        overall_accuracy: Share of counted pixels that are right.
        mean_accuracy: Mean of `accuracy` over classes with labels.
        frequency_weighted_iou: Mean of `iou` weighted by label frequency.
        mean_iou: Mean of `iou` over classes that labels or predictions hold.
        mean_fscore: Mean of `fscore` over the same classes.
        iou: K values, intersection over union by class.
        accuracy: K values, recall by class; nan for a class without labels.
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
    """Compute all scores of one confusion matrix.

    Args:
        matrix: K x K counts, rows are labels, columns predictions.
        beta: Weight of recall in the F-score.

    Returns:
        The scores. An empty matrix gives nan everywhere and warns of nothing.
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
    """Mean without nan; nan, and no warning, where nothing is left."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")
