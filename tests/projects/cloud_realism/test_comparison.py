"""Means, percentiles and the table of real beside simulated clouds."""

import math

import numpy as np
import pytest

from cloud_realism.comparison import (
    SampleComparison,
    comparison_table,
    percentile_of,
    summarise,
)
from cloud_realism.statistics import CloudStatistics


def found(cover, slope=-3.0):
    curve = np.array([2.0, 1.0])
    values = {"cover": cover, "spectral_slope": slope, "haze/blue": math.nan}
    return CloudStatistics(values, curve, curve, curve)


@pytest.fixture
def samples():
    draws = [found(cover) for cover in (0.1, 0.2, 0.3, 0.4)]
    return [
        SampleComparison("a", found(0.35, -1.0), {"thick": draws}),
        SampleComparison("b", found(0.05, math.nan), {"thick": draws}),
    ]


@pytest.mark.parametrize(
    ("value", "draws", "expected"),
    [
        (5, [1, 2, 3, 9], 75),
        (2, [1, 2, 2, 3], 50),
        (0, [1, 2], 0),
        (3, [1, math.nan, 2], 100),
        (math.nan, [1, 2], math.nan),
        (1, [math.nan], math.nan),
    ],
)
def test_percentile(value, draws, expected):
    assert percentile_of(value, draws) == pytest.approx(expected, nan_ok=True)


def test_summary(samples):
    summary = summarise(samples)
    assert list(summary) == ["cover", "spectral_slope", "haze/blue"]
    assert summary["cover"]["real"] == pytest.approx(dict(mean=0.2, std=0.15, n=2))
    thick = summary["cover"]["thick"]
    assert thick["mean"] == pytest.approx(0.25) and thick["n"] == 8
    assert thick["std"] == pytest.approx(np.std([0.1, 0.2, 0.3, 0.4]))
    # Above three of four draws, and below all: one of two samples looks like none of its draws.
    assert thick["percentile"] == pytest.approx((75 + 0) / 2)
    assert thick["outside"] == pytest.approx(0.5)
    slope = summary["spectral_slope"]
    assert slope["real"] == dict(mean=-1.0, std=0.0, n=1)
    assert slope["thick"]["percentile"] == 100 and slope["thick"]["outside"] == 1
    assert math.isnan(summary["haze/blue"]["thick"]["mean"])
    assert math.isnan(summary["haze/blue"]["thick"]["outside"])


def test_table(samples):
    lines = comparison_table(summarise(samples)).splitlines()
    rows = {
        cells[0]: cells[1:]
        for cells in ([c.strip() for c in line.strip("|").split("|")] for line in lines)
    }
    assert rows["statistic"] == ["real", "thick"]
    assert rows["cloud cover"] == ["0.200 ± 0.150", "0.250 ± 0.112 [38]"]
    assert rows["spectrum's slope, 30 to 300 m"] == ["-1.000 ± 0.000", "-3.000 ± 0.000 [100]"]
    assert rows["cloudy - clear, elsewhere, blue"] == ["-", "-"]
    assert any("percentile" in line for line in lines[-8:])
