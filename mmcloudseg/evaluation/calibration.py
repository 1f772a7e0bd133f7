"""How far a model's confidence can be trusted, from histograms of confidence.

Confidence is the softmax probability of the predicted class. Fine histograms of it are all that
is kept of the pixels, so that a whole test set is summed in a few kilobytes.
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
"""Bins of a histogram: a multiple of `ECE_BINS`, so that those are sums of these."""


@dataclass(frozen=True)
class ConfidenceHistogram:
    """Pixels by confidence, in `CONFIDENCE_BINS` bins of equal width that hold their upper edge.

    Attributes:
        count: Pixels in each bin, int64.
        correct: Those whose class is right, int64.
        confidence_sum: Sum of their confidences, float64.
    """

    count: np.ndarray
    correct: np.ndarray
    confidence_sum: np.ndarray

    @classmethod
    def total(cls, histograms: Iterable[ConfidenceHistogram]) -> ConfidenceHistogram:
        """Sum of histograms; an empty one of none."""
        count, correct = (np.zeros(CONFIDENCE_BINS, dtype=np.int64) for _ in range(2))
        confidence_sum = np.zeros(CONFIDENCE_BINS)
        for histogram in histograms:
            count += histogram.count
            correct += histogram.correct
            confidence_sum += histogram.confidence_sum
        return cls(count, correct, confidence_sum)

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return int(self.count.sum())


def confidence_edges() -> np.ndarray:
    """The `CONFIDENCE_BINS` + 1 edges of a histogram's bins, from 0 to 1."""
    return np.arange(CONFIDENCE_BINS + 1) / CONFIDENCE_BINS


def confidence_of(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Predicted class and its softmax probability.

    Args:
        logits: K x h x w, K at least 2.

    Returns:
        h x w int64 class indices, and h x w float32 confidences, at least 1 / K.

    Raises:
        ValueError: If there is one class only: its scores are no softmax.
    """
    if len(logits) < 2:
        raise ValueError(
            f"found logits of {len(logits)} class, expected 2 or more: confidence is a softmax "
            "over classes. Set the decode head's out_channels to the number of classes."
        )
    # Of the logits and not of the probabilities, among which rounding makes ties.
    return logits.argmax(dim=0), logits.float().softmax(dim=0).amax(dim=0)


def confidence_bins(confidence: Tensor) -> Tensor:
    """Index of each confidence's bin; bins hold their upper edge, as in Guo et al. (2017).

    Args:
        confidence: Float32 values from 0 to 1, of any shape.

    Returns:
        Int64 indices from 0 to `CONFIDENCE_BINS` - 1.
    """
    # Exact: the product of a float32 and a number below 2**11 fits a float64.
    bins = torch.ceil(confidence.double() * CONFIDENCE_BINS).long() - 1
    return bins.clamp(0, CONFIDENCE_BINS - 1)


def expected_calibration_error(histogram: ConfidenceHistogram) -> float:
    """Expected calibration error in `ECE_BINS` bins (Guo et al., 2017, arXiv 1706.04599, eq. 5).

    Args:
        histogram: Pixels by confidence.

    Returns:
        The mean over pixels of the gap between accuracy and mean confidence of their bin, as a
        fraction; nan without a pixel.
    """
    if histogram.pixels == 0:
        return float("nan")
    gaps = _coarse(histogram.correct) - _coarse(histogram.confidence_sum)
    return float(np.abs(gaps).sum() / histogram.pixels)


def area_under_risk_coverage(histogram: ConfidenceHistogram) -> float:
    """Area under the risk-coverage curve (Geifman et al., 2019, arXiv 1805.08206, section 2).

    The curve is the share of errors among the k most confident pixels, for k from 1 to all; the
    area is its mean. Pixels of one bin count as equally confident: the result is the mean over
    all their orders, in closed form.

    Args:
        histogram: Pixels by confidence.

    Returns:
        The area as a fraction, 0 to 1, low is good; nan without a pixel.
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
    """Points of the risk-coverage curve, one for each bin with pixels.

    Args:
        histogram: Pixels by confidence.

    Returns:
        Coverage (share of pixels kept, rising to 1) and risk (share of errors among them).
    """
    filled = histogram.count > 0
    kept = np.cumsum(histogram.count[filled][::-1])
    correct = np.cumsum(histogram.correct[filled][::-1])
    return kept / max(histogram.pixels, 1), 1 - correct / kept


def reliability(histogram: ConfidenceHistogram) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a reliability diagram shows.

    Args:
        histogram: Pixels by confidence.

    Returns:
        Pixels, accuracy and mean confidence in each of the `ECE_BINS` bins; the latter two are
        nan where no pixel is.
    """
    count = _coarse(histogram.count)
    with np.errstate(invalid="ignore"):
        accuracy = _coarse(histogram.correct) / count
        confidence = _coarse(histogram.confidence_sum) / count
    return count, accuracy, confidence


def mean_confidence(histogram: ConfidenceHistogram) -> float:
    """Mean confidence as a fraction; nan without a pixel."""
    pixels = histogram.pixels
    return float(histogram.confidence_sum.sum() / pixels) if pixels else float("nan")


def _coarse(values: np.ndarray) -> np.ndarray:
    return values.reshape(ECE_BINS, -1).sum(axis=1)
