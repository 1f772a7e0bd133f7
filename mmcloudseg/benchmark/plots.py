"""Plots of a benchmark: score over cover and cost, by class, calibration, and robustness."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from mmcloudseg.benchmark.robustness_curve import OWN_CLOUDS, RobustnessCurve
from mmcloudseg.evaluation.calibration import ConfidenceHistogram, reliability, risk_coverage_curve
from mmcloudseg.utils.files import atomic_write

_MARKERS = "osD^v<>Phd"
_DASHES = ("-", "--", ":")
_COLOURS = [colormaps["tab10"](index)[:3] for index in range(10)]


@dataclass(frozen=True)
class Series:
    """The numbers of a method. A plot leaves out methods without the numbers that it shows.

    Attributes:
        covers: Edges of the cloud-cover bin in percent -> mIoU of every seed.
        classes: Class -> IoU on cloudy pixels of every seed.
        score: mIoU on cloudy pixels, mean over seeds.
        confidence: Cloudy pixels by confidence.
    """

    title: str
    covers: Mapping[tuple[float, float], Sequence[float]] = field(default_factory=dict)
    classes: Mapping[str, Sequence[float]] = field(default_factory=dict)
    score: float | None = None
    gflops: float | None = None
    parameters_m: float | None = None
    confidence: ConfidenceHistogram | None = None


def style(index: int) -> dict[str, Any]:
    """Return the colour, marker and dash of the index-th method; 30 are different."""
    turn = index // len(_COLOURS)
    return dict(
        color=_COLOURS[index % len(_COLOURS)],
        marker=_MARKERS[(index + turn) % len(_MARKERS)],
        linestyle=_DASHES[turn % len(_DASHES)],
        markersize=5,
    )


def draw_score_over_cover(series: Sequence[Series]) -> Figure:
    """Draw mIoU by cloud cover of the scene, a line per method; bars are the spread of seeds."""
    figure, (axes,) = _figure(8, 5, series)
    bins = sorted({edges for one in series for edges in one.covers})
    # Side by side, so that the bars of 14 methods do not overlap.
    shifts = np.linspace(-0.18, 0.18, max(len(series), 2))
    for index, one in enumerate(series):
        known = [edges for edges in bins if one.covers.get(edges)]
        if not known:
            continue
        axes.errorbar(
            [bins.index(edges) + shifts[index] for edges in known],
            [np.mean(one.covers[edges]) for edges in known],
            yerr=[_spread(one.covers[edges]) for edges in known],
            **style(index) | dict(label=one.title, elinewidth=0.8, linewidth=1.3),
        )
    axes.set_xticks(range(len(bins)), [f"{a:g} to {b:g}" for a, b in bins])
    axes.set(xlabel="cloud cover of the scene (%)", ylabel="mIoU (%)")
    _legend(figure, axes)
    return figure


def draw_accuracy_over_cost(series: Sequence[Series]) -> Figure:
    """Draw mIoU on cloudy pixels over GFLOPs; markers grow with the number of parameters."""
    figure, (axes,) = _figure(8, 5.5, series)
    known = [
        (index, one.title, one.score, one.gflops, one.parameters_m)
        for index, one in enumerate(series)
        if one.score is not None and one.gflops and one.parameters_m
    ]
    largest = max((parameters_m for *_, parameters_m in known), default=1)
    points = []
    for index, title, score, gflops, parameters_m in known:
        area = 30 + 370 * parameters_m / largest
        points.append((score, gflops, area, title))
        look = {key: style(index)[key] for key in ("color", "marker")}
        look |= dict(alpha=0.75, edgecolors="black", linewidths=0.5)
        axes.scatter(gflops, score, s=area, label=title, **look)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(0.12)
    axes.set(xlabel="GFLOPs of a prediction (multiply-adds)", ylabel="mIoU on cloudy pixels (%)")
    axes.set_title(f"area of a marker: parameters, largest {largest:.1f} M", fontsize=9)
    _label_points(axes, points)
    _legend(figure, axes, markerscale=0.6)
    return figure


def draw_class_bars(series: Sequence[Series]) -> Figure:
    """Draw the IoU of every class on cloudy pixels, a bar per method; lines are the spread."""
    classes = list(dict.fromkeys(name for one in series for name in one.classes))
    width = max(8.0, 0.14 * len(series) * len(classes))
    figure, (axes,) = _figure(min(width, 15), 4.5, series)
    bar = 0.84 / max(len(series), 1)
    for index, one in enumerate(series):
        known = [name for name in classes if one.classes.get(name)]
        axes.bar(
            [classes.index(name) + (index - (len(series) - 1) / 2) * bar for name in known],
            [np.mean(one.classes[name]) for name in known],
            bar,
            yerr=[_spread(one.classes[name]) for name in known],
            error_kw=dict(elinewidth=0.6),
            hatch=("", "///", "...")[index // len(_COLOURS) % 3],
            **dict(color=style(index)["color"], edgecolor="white", linewidth=0.3, label=one.title),
        )
    axes.set_xticks(range(len(classes)), classes)
    axes.set_ylabel("IoU on cloudy pixels (%)")
    axes.grid(axis="x", visible=False)
    _legend(figure, axes)
    return figure


def draw_calibration(series: Sequence[Series]) -> Figure:
    """Draw risk over coverage and accuracy over confidence on cloudy pixels, seeds pooled."""
    figure, (risk, diagram) = _figure(11, 4.8, series, columns=2)
    for index, one in enumerate(series):
        if one.confidence is None or not one.confidence.pixels:
            continue
        look = style(index) | dict(markersize=4, linewidth=1.3, label=one.title)
        coverage, wrong = risk_coverage_curve(one.confidence)
        # Markers go by coverage, because most bins of confidence hold few pixels.
        marked = np.unique(np.searchsorted(coverage[:-1], np.linspace(0.1, 1, 10))).tolist()
        risk.plot(100 * coverage, 100 * wrong, markevery=marked, **look)
        accuracy, confidence = reliability(one.confidence)
        known = np.isfinite(accuracy)
        diagram.plot(100 * confidence[known], 100 * accuracy[known], **look)
    risk.set(xlabel="coverage: most certain pixels (%)", ylabel="risk: wrong among them (%)")
    diagram.plot([0, 100], [0, 100], color="grey", linewidth=0.8)
    diagram.set(xlabel="confidence (%)", ylabel="accuracy (%)")
    _legend(figure, risk)
    return figure


PLOTS: Mapping[str, tuple[Callable[[Sequence[Series]], Figure], Callable[[Series], object]]] = {
    "score_over_cover": (draw_score_over_cover, lambda one: one.covers),
    "accuracy_over_cost": (draw_accuracy_over_cost, lambda one: one.score and one.gflops),
    "class_bars": (draw_class_bars, lambda one: one.classes),
    "calibration": (draw_calibration, lambda one: one.confidence is not None),
}
"""Name of the plot -> its function, and whether a method is shown in it."""


def draw_robustness(curve: RobustnessCurve, title: str) -> Figure:
    """Draw mIoU over simulated cloud cover.

    Each kind of cloud is a line. Scores under the clouds of the dataset itself are horizontal
    dashed lines, because their cover is not a number on the axis.

    Raises:
        ValueError: If nothing was measured.
    """
    if not curve.clouds and not curve.unsimulated():
        raise ValueError(
            f"{title}: the curve has neither `clouds` nor `own_clouds` nor `missing` to draw; "
            "measure them with tools/robustness.py"
        )
    figure = Figure(figsize=(7.0, 4.6), facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    areas = curve.auc
    for colour, (kind, points) in zip(itertools.cycle(_COLOURS), curve.clouds.items()):
        area = "" if math.isnan(areas[kind]) else f" (area {areas[kind]:.1f} %)"
        heights = [scores["mIoU"] for scores in points.values()]
        axes.plot(list(points), heights, "o-", color=colour, markersize=4, label=f"{kind}{area}")
    # From the other end of the list, away from the colours of the kinds.
    others = iter(reversed(_COLOURS))
    for name, scores in curve.unsimulated().items():
        shade = "black" if name == OWN_CLOUDS else next(others)
        axes.axhline(scores["mIoU"], color=shade, linestyle="--", linewidth=1.2, label=name)
    top = np.nanmax(np.concatenate([[1.0], *(line.get_ydata() for line in axes.get_lines())]))
    axes.set(xlim=(0, 100), ylim=(0, min(1.08 * top, 100)), title=title)
    axes.set(xlabel="simulated cloud cover (%)", ylabel="mIoU, all pixels (%)")
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, completely or not at all."""
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100)


def _spread(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def _figure(
    width: float, height: float, series: Sequence[Series], columns: int = 1
) -> tuple[Figure, list[Axes]]:
    legend = 0.24 * -(-len(series) // _legend_columns(width, [s.title for s in series])) + 0.1
    figure = Figure(figsize=(width, height + legend), facecolor="white", layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False).ravel().tolist()
    for one in axes:
        one.grid(visible=True, color="0.9", linewidth=0.8)
        one.set_axisbelow(True)
        one.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _legend_columns(width: float, titles: Sequence[str]) -> int:
    """Number of columns of names that fit a figure of this width in inches."""
    longest = max((len(title) for title in titles), default=1)
    # Inches of an entry and of a letter at 8 points.
    return max(int(width / (0.6 + 0.062 * longest)), 1)


def _legend(figure: Figure, axes: Axes, markerscale: float | None = None) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        columns = _legend_columns(figure.get_figwidth(), labels)
        look = dict(fontsize=8, frameon=False, markerscale=markerscale)
        figure.legend(handles, labels, loc="outside lower center", ncol=columns, **look)


def _label_points(axes: Axes, points: Sequence[tuple[float, float, float, str]]) -> None:
    """Write the titles next to points of a score, GFLOPs, a marker's area and a title."""
    # Neighbours in score are labelled above and below in turn, which keeps most labels apart.
    sides = itertools.cycle(((1, "bottom"), (-1, "top")))
    for score, gflops, area, title in sorted(points, key=lambda point: point[0]):
        side, anchor = next(sides)
        place: dict[str, Any] = dict(
            xytext=(0, side * (2 + area**0.5 / 2)), textcoords="offset points"
        )
        axes.annotate(title, (gflops, score), **place, ha="center", va=anchor, fontsize=7)
