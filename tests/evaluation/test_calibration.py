"""Calibration error and risk-coverage of histograms, against torchmetrics and direct sorts."""

import math

import numpy as np
import pytest
import torch
from torchmetrics.classification import MulticlassCalibrationError

from mmcloudseg.evaluation.calibration import (
    CONFIDENCE_BINS,
    ECE_BINS,
    ConfidenceHistogram,
    area_under_risk_coverage,
    confidence_bins,
    confidence_of,
    expected_calibration_error,
    mean_confidence,
    reliability,
    risk_coverage_curve,
)

EDGES = np.arange(CONFIDENCE_BINS + 1) / CONFIDENCE_BINS


def histogram_of(confidence, right):
    bins = confidence_bins(torch.as_tensor(confidence, dtype=torch.float32)).numpy()
    return ConfidenceHistogram(
        count=np.bincount(bins, minlength=CONFIDENCE_BINS),
        correct=np.bincount(bins[np.asarray(right, bool)], minlength=CONFIDENCE_BINS),
        confidence_sum=np.bincount(bins, weights=confidence, minlength=CONFIDENCE_BINS),
    )


def random_pixels(count, seed=0, classes=5):
    """Logits of an overconfident model that is right more often than not."""
    generator = torch.Generator().manual_seed(seed)
    label = torch.randint(classes, (count,), generator=generator)
    logits = 2 * torch.randn(classes, count, generator=generator)
    logits[label, torch.arange(count)] += 1.5
    return logits, label


def aurc_by_sorting(confidence, right):
    """The definition: mean over k of the error rate among the k most confident."""
    order = np.argsort(-np.asarray(confidence), kind="stable")
    errors = np.cumsum(~np.asarray(right, bool)[order])
    return float(np.mean(errors / np.arange(1, len(order) + 1)))


def test_bins_hold_their_upper_edge():
    assert CONFIDENCE_BINS % ECE_BINS == 0
    values = torch.tensor([0.0, 0.25, 0.5, 1.0, math.nextafter(1.0, 2.0)])
    assert confidence_bins(values).tolist() == [0, 374, 749, 1499, 1499]
    above = torch.nextafter(torch.tensor(0.5), torch.tensor(1.0))
    assert confidence_bins(above).item() == 750


def test_bins_lie_between_their_edges():
    values = torch.rand(20000, generator=torch.Generator().manual_seed(1))
    bins, exact = confidence_bins(values).numpy(), values.double().numpy()
    assert (EDGES[bins] < exact).all() and (exact <= EDGES[bins + 1]).all()


def test_confidence_of_logits():
    logits = torch.tensor([[[0.0, 2.0]], [[0.0, -1.0]], [[0.0, 0.0]]])
    prediction, confidence = confidence_of(logits)
    assert prediction.tolist() == [[0, 0]]
    expected = math.exp(2) / (math.exp(2) + math.exp(-1) + 1)
    assert confidence[0].tolist() == pytest.approx([1 / 3, expected], rel=1e-6)
    half = confidence_of(logits.half())[1]
    assert half.dtype == torch.float32
    with pytest.raises(ValueError, match=r"found logits of 1 class.*binary_confidence"):
        confidence_of(logits[:1])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_ece_is_that_of_torchmetrics(seed):
    logits, label = random_pixels(5000, seed)
    prediction, confidence = confidence_of(logits)
    # torchmetrics gives certain pixels a sixteenth bin, and lower edges to bins.
    assert confidence.max() < 1
    ours = expected_calibration_error(histogram_of(confidence.numpy(), prediction == label))
    metric = MulticlassCalibrationError(num_classes=5, n_bins=ECE_BINS, norm="l1")
    theirs = metric(logits.T.softmax(dim=1), label)
    assert ours == pytest.approx(float(theirs), abs=1e-6)
    assert ours > 0.05


def test_ece_by_hand():
    # Two bins: 0.9 with three of four right, 0.5 with one of one.
    histogram = histogram_of([0.9, 0.9, 0.9, 0.9, 0.5], [1, 1, 1, 0, 1])
    expected = (4 * abs(0.75 - 0.9) + 1 * abs(1 - 0.5)) / 5
    assert expected_calibration_error(histogram) == pytest.approx(expected, rel=1e-6)
    assert mean_confidence(histogram) == pytest.approx(4.1 / 5, rel=1e-6)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_aurc_is_that_of_a_sort(seed):
    logits, label = random_pixels(20000, seed)
    prediction, confidence = confidence_of(logits)
    right = (prediction == label).numpy()
    ours = area_under_risk_coverage(histogram_of(confidence.numpy(), right))
    assert ours == pytest.approx(aurc_by_sorting(confidence.numpy(), right), abs=2e-4)
    assert 0.05 < ours < (~right).mean()


def test_aurc_of_one_bin_is_the_mean_over_all_orders():
    right = [1, 1, 0, 1, 0]
    ours = area_under_risk_coverage(histogram_of([0.8] * 5 + [0.4], [*right, 0]))
    rng = np.random.default_rng(0)
    orders = [
        aurc_by_sorting([0.8] * 5 + [0.4], [*rng.permutation(right), 0]) for _ in range(4000)
    ]
    assert ours == pytest.approx(np.mean(orders), abs=0.005)
    # With equal confidence everywhere the expected risk is the same at every coverage.
    level = area_under_risk_coverage(histogram_of([0.8] * 5, right))
    assert level == pytest.approx(0.4, rel=1e-12)


def test_aurc_knows_good_from_bad_order():
    confidence = [0.95, 0.85, 0.75, 0.65]
    good = area_under_risk_coverage(histogram_of(confidence, [1, 1, 1, 0]))
    bad = area_under_risk_coverage(histogram_of(confidence, [0, 1, 1, 1]))
    assert good == pytest.approx((0 + 0 + 0 + 1 / 4) / 4, rel=1e-12)
    assert bad == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4, rel=1e-12)


def test_aurc_of_many_pixels_is_exact():
    """Harmonic numbers of billions are differences of nearly equal values."""
    count = np.zeros(CONFIDENCE_BINS, dtype=np.int64)
    count[[700, 1400]] = 3 * 10**9
    correct = count // 2
    histogram = ConfidenceHistogram(count, correct, count * 0.5)
    assert area_under_risk_coverage(histogram) == pytest.approx(0.5, rel=1e-9)


def test_risk_coverage_curve():
    coverage, risk = risk_coverage_curve(histogram_of([0.9, 0.9, 0.6, 0.4], [1, 0, 1, 0]))
    assert coverage.tolist() == [0.5, 0.75, 1.0]
    assert risk.tolist() == pytest.approx([1 / 2, 1 / 3, 1 / 2])


def test_reliability():
    accuracy, confidence = reliability(histogram_of([0.9, 0.9, 0.5], [1, 0, 1]))
    assert len(accuracy) == len(confidence) == ECE_BINS
    assert accuracy[13] == 0.5 and confidence[13] == pytest.approx(0.9)
    assert accuracy[7] == 1.0 and math.isnan(accuracy[0])


def test_totals_and_nothing():
    one = histogram_of([0.9, 0.5], [1, 0])
    total = ConfidenceHistogram.total([one, one])
    assert total.pixels == 4 and total.correct.sum() == 2
    assert total.confidence_sum.sum() == pytest.approx(2.8)
    assert one.pixels == 2
    empty = histogram_of([], [])
    for measure in (expected_calibration_error, area_under_risk_coverage, mean_confidence):
        assert math.isnan(measure(empty))
