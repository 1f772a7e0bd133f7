"""Statistics of real and simulated clouds: means, spreads, percentiles, and their table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from cloud_realism.statistics import (
    BRIGHTNESS_PERCENTS,
    PATCH_PERCENTS,
    SHADOW_REACH_M,
    CloudStatistics,
)
from cloud_realism.structure import CLOUD_SLOPE_WAVELENGTHS_M, SLOPE_WAVELENGTHS_M
from mmcloudseg.utils.text import markdown_table

Summary = dict[str, dict[str, dict[str, float]]]

# A real value is unusual if less than this share of the draws, in percent, is on one side of it.
_TAIL_PERCENT = 5

_TITLES = {
    "cover": "cloud cover",
    "patches_per_km2": "patches per km2",
    **{
        f"patch_diameter_{percent}_m": f"patch diameter (m), {percent} % of area"
        for percent in PATCH_PERCENTS
    },
    "spectral_slope": "spectrum's slope, {:.0f} to {:.0f} m".format(*SLOPE_WAVELENGTHS_M),
    "cloud_slope": "the same inside clouds, {:.0f} to {:.0f} m".format(*CLOUD_SLOPE_WAVELENGTHS_M),
    "contribution_std": "contribution's spread",
    "autocorrelation_m": "autocorrelation length (m)",
    "edge_width_m": "width of steep edges (m)",
    "contrast": "cloudy - clear, mask",
    "haze": "cloudy - clear, elsewhere",
    "contrast_over_haze": "contrast: mask - elsewhere",
    "std_ratio": "spread cloudy / clear, mask",
    **{f"brightness_{percent}": f"brightness, {percent} %" for percent in BRIGHTNESS_PERCENTS},
    "texture_kept": "ground texture kept",
    "shadow": f"darkening within {SHADOW_REACH_M:.0f} m",
}
_EXPLANATION = f"""\
Each cell of a simulation shows the mean ± standard deviation over samples and draws, and in
brackets the percentile of the real value among the draws over the same image, averaged over
samples. A percentile below {_TAIL_PERCENT} or above {100 - _TAIL_PERCENT} means that simulated
clouds rarely look like the real ones.
Reflectance is that of the images, from 0 to 1. "-" means not measured (too few pixels, or the
ground itself has changed). The two real images were taken on different dates: values "elsewhere"
show haze, sun and change. Change flattens the spectrum of the whole image, and less so inside
clouds.
"""


@dataclass(frozen=True)
class SampleComparison:
    """One real image and what was simulated over the same ground at the same cover.

    Attributes:
        name: Name of the sample.
        real: Statistics of the real clouds.
        simulated: Statistics of each draw, by the name of the series.
        gsd_m: Side of a pixel in metres.
    """

    name: str
    real: CloudStatistics
    simulated: Mapping[str, Sequence[CloudStatistics]]
    gsd_m: float = math.nan


def percentile_of(value: float, draws: Sequence[float]) -> float:
    """Compute the percentage of draws below a value; equal ones count half.

    Args:
        value: The value.
        draws: The draws; NaN is left out.

    Returns:
        0 to 100; NaN if there is nothing to compare.
    """
    known = np.asarray(draws, float)
    known = known[np.isfinite(known)]
    if math.isnan(value) or known.size == 0:
        return math.nan
    return float(stats.percentileofscore(known, value, kind="mean"))


def summarise(samples: Sequence[SampleComparison]) -> Summary:
    """Compare every statistic.

    Args:
        samples: At least one, all with the same series.

    Returns:
        Statistic -> ``real`` and each series -> ``mean``, ``std`` and number ``n`` of values. A
        series also has ``percentile``, that of the real value averaged over samples, and
        ``outside``, the share of samples whose percentile is below 5 or above 95. NaN if nothing
        was measured.
    """
    summary: Summary = {}
    for name in samples[0].real.values:
        rows = {"real": _moments([sample.real.values[name] for sample in samples])}
        for series in samples[0].simulated:
            draws = [[d.values[name] for d in sample.simulated[series]] for sample in samples]
            places = np.array(
                [
                    percentile_of(sample.real.values[name], values)
                    for sample, values in zip(samples, draws, strict=True)
                ]
            )
            places = places[np.isfinite(places)]
            far = np.abs(places - 50) > 50 - _TAIL_PERCENT
            rows[series] = {
                **_moments([value for values in draws for value in values]),
                "percentile": float(places.mean()) if places.size else math.nan,
                "outside": float(far.mean()) if places.size else math.nan,
            }
        summary[name] = rows
    return summary


def comparison_table(summary: Summary) -> str:
    """Write a summary as a Markdown table with an explanation.

    Args:
        summary: The summary, as ``summarise`` returns it.

    Returns:
        Markdown with a final line break.
    """
    columns = list(next(iter(summary.values())))
    rows = [[_title(name), *(_cell(row[c]) for c in columns)] for name, row in summary.items()]
    return f"{markdown_table(['statistic', *columns], rows)}\n\n{_EXPLANATION}"


def _moments(values: Sequence[float]) -> dict[str, float]:
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    if known.size == 0:
        return dict(mean=math.nan, std=math.nan, n=0)
    return dict(mean=float(known.mean()), std=float(known.std()), n=int(known.size))


def _title(name: str) -> str:
    statistic, _, band = name.partition("/")
    title = _TITLES[statistic]
    return f"{title}, {band}" if band else title


def _cell(row: Mapping[str, float]) -> str:
    if row["n"] == 0:
        return "-"
    text = f"{_rounded(row['mean'])} ± {_rounded(row['std'])}"
    if math.isfinite(row.get("percentile", math.nan)):
        text += f" [{row['percentile']:.0f}]"
    return text


def _rounded(value: float) -> str:
    """Write three decimals below 10, one below 100, and none above."""
    size = abs(value)
    return f"{value:.{3 if size < 10 else 1 if size < 100 else 0}f}"
