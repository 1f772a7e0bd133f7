"""How far the confidence of a model can be trusted, from histograms of confidence.

Confidence is the probability of the predicted class. Only fine histograms of it are kept,
so that a whole test set is summed up in a few kilobytes. The calibration error of torchmetrics
needs the confidence of every pixel at once and puts upper edges in the next bin, so it cannot be
used here; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import digamma
from torch import Tensor

ECE_BINS = 15
"""Bins of the expected calibration error (Guo et al., 2017, section 4.1)."""

CONFIDENCE_BINS = 1500
"""Bins of a histogram: a multiple of ``ECE_BINS``, so that each ECE bin is a sum of bins."""


@dataclass(frozen=True)
class ConfidenceHistogram:
    """Pixels by confidence, in ``CONFIDENCE_BINS`` bins of equal width that hold their upper edge.

    Attributes:
        count: Pixels in each bin, int64.
        correct: Correctly classified pixels in each bin, int64.
        confidence_sum: Sum of the confidences in each bin, float64.
    """

    count: np.ndarray
    correct: np.ndarray
    confidence_sum: np.ndarray

    @classmethod
    def total(cls, histograms: Iterable[ConfidenceHistogram]) -> ConfidenceHistogram:
        """Sum up one or more histograms."""
        parts = [(h.count, h.correct, h.confidence_sum) for h in histograms]
        return cls(*(sum(part[1:], part[0]) for part in zip(*parts, strict=True)))

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return int(self.count.sum())


def confidence_of(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the predicted class and its softmax probability.

    Args:
        logits: K x h x w, K at least 2.

    Returns:
        h x w int64 class indices, and h x w float32 confidences, at least 1 / K.

    Raises:
        ValueError: If there is only one class, whose scores are not a softmax.
    """
    if len(logits) < 2:
        raise ValueError(
            f"found logits of {len(logits)} class, expected 2 or more, because confidence is a "
            "softmax over classes; binary_confidence takes a single channel."
        )
    # The maximum of the logits: rounding makes ties among the probabilities.
    return logits.argmax(dim=0), logits.float().softmax(dim=0).amax(dim=0)


def binary_confidence(probability: Tensor, prediction: Tensor) -> Tensor:
    """The probability of the predicted class where a single channel tells two classes apart.

    Args:
        probability: h x w, of class 1.
        prediction: h x w, class 0 or 1; the threshold between them need not be 0.5.

    Returns:
        h x w float32 confidences; below 0.5 between 0.5 and another threshold.
    """
    probability = probability.float()
    return torch.where(prediction == 1, probability, 1 - probability)


def confidence_bins(confidence: Tensor) -> Tensor:
    """Find the int64 index of the bin of each float32 confidence, from 0 to 1 and of any shape.

    Bins include their upper edge, as in Guo et al. (2017).
    """
    # Exact: the product of a float32 and a number below 2**11 fits a float64.
    bins = torch.ceil(confidence.double() * CONFIDENCE_BINS).long() - 1
    return bins.clamp(0, CONFIDENCE_BINS - 1)


def expected_calibration_error(histogram: ConfidenceHistogram) -> float:
    """Expected calibration error in ``ECE_BINS`` bins (Guo et al., 2017, arXiv 1706.04599, eq. 5).

    Returns:
        The mean over pixels of the gap between accuracy and mean confidence of their bin, as a
        fraction; NaN without pixels.
    """
    if histogram.pixels == 0:
        return float("nan")
    gaps = _coarse(histogram.correct) - _coarse(histogram.confidence_sum)
    return float(np.abs(gaps).sum() / histogram.pixels)


def area_under_risk_coverage(histogram: ConfidenceHistogram) -> float:
    """Area under the risk-coverage curve (Geifman et al., 2019, arXiv 1805.08206, section 2).

    The curve is the share of errors among the k most confident pixels, for k from 1 to all; the
    area is its mean. Pixels of one bin count as equally confident, and the result is the mean
    over all orders of them, in closed form.

    Returns:
        The area as a fraction from 0 to 1 (low is good); NaN without pixels.
    """
    filled = histogram.count > 0
    count = histogram.count[filled][::-1].astype(np.float64)
    if count.size == 0:
        return float("nan")
    errors = count - histogram.correct[filled][::-1]
    count_above = np.cumsum(count) - count
    errors_above = np.cumsum(errors) - errors
    rate = errors / count
    # Sum over j = 1 … count of (errors_above + j rate) / (count_above + j), by harmonic numbers.
    harmonic = digamma(count_above + count + 1) - digamma(count_above + 1)
    risks = rate * count + (errors_above - rate * count_above) * harmonic
    return float(risks.sum() / count.sum())


def risk_coverage_curve(histogram: ConfidenceHistogram) -> tuple[np.ndarray, np.ndarray]:
    """Compute the risk-coverage curve, one point for each bin with pixels.

    Returns:
        Coverage (the share of pixels kept, rising to 1) and risk (the share of errors among them).
    """
    filled = histogram.count > 0
    kept = np.cumsum(histogram.count[filled][::-1])
    correct = np.cumsum(histogram.correct[filled][::-1])
    return kept / max(histogram.pixels, 1), 1 - correct / kept


def reliability(histogram: ConfidenceHistogram) -> tuple[np.ndarray, np.ndarray]:
    """Compute accuracy and mean confidence of the ``ECE_BINS`` bins; NaN for empty bins."""
    count = _coarse(histogram.count)
    with np.errstate(invalid="ignore"):
        return _coarse(histogram.correct) / count, _coarse(histogram.confidence_sum) / count


def mean_confidence(histogram: ConfidenceHistogram) -> float:
    """Mean confidence as a fraction; NaN without pixels."""
    pixels = histogram.pixels
    return float(histogram.confidence_sum.sum() / pixels) if pixels else float("nan")


def _coarse(values: np.ndarray) -> np.ndarray:
    return values.reshape(ECE_BINS, -1).sum(axis=1)
