"""A benchmark's plots: score over cloud cover and over cost, by class, and calibration."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from mmcloudseg.evaluation.calibration import (
    ConfidenceHistogram,
    reliability,
    risk_coverage_curve,
)

_DPI = 100
_MARKERS = "osD^v<>Phd"
_DASHES = ("-", "--", ":")
_COLOURS = colormaps["tab10"].colors
_ENTRY_INCHES, _LETTER_INCHES = 0.6, 0.062  # of a legend at 8 points


@dataclass(frozen=True)
class Series:
    """A method's numbers; what it has none of is left out of that plot.

    Attributes:
        title: Its name.
        covers: Bin's edges in percent -> mIoU of every seed.
        classes: Class -> IoU on cloudy pixels of every seed.
        score: mIoU on cloudy pixels, mean over seeds.
        gflops: Of a prediction.
        parameters_m: In millions.
        confidence: Cloudy pixels by confidence.
    """

    title: str
    covers: Mapping[tuple[float, float], Sequence[float]] = field(default_factory=dict)
    classes: Mapping[str, Sequence[float]] = field(default_factory=dict)
    score: float | None = None
    gflops: float | None = None
    parameters_m: float | None = None
    confidence: ConfidenceHistogram | None = None


def style(index: int) -> dict:
    """Colour, marker and dash of the index-th method: 30 differ."""
    turn = index // len(_COLOURS)
    return dict(
        color=_COLOURS[index % len(_COLOURS)],
        marker=_MARKERS[(index + turn) % len(_MARKERS)],
        linestyle=_DASHES[turn % len(_DASHES)],
        markersize=5,
    )


def draw_score_over_cover(series: Sequence[Series]) -> Figure:
    """MIoU by cloud cover of the scene, a line for each method; bars are seeds' spread."""
    figure, axes = _figure(8, 5, series)
    bins = sorted({edges for one in series for edges in one.covers})
    places = {edges: place for place, edges in enumerate(bins)}
    # Side by side, so that the bars of 14 methods do not lie over each other.
    shifts = np.linspace(-0.18, 0.18, max(len(series), 2))
    for index, one in enumerate(series):
        known = [edges for edges in bins if one.covers.get(edges)]
        if not known:
            continue
        means = [np.mean(one.covers[edges]) for edges in known]
        spread = [np.std(one.covers[e], ddof=1) if len(one.covers[e]) > 1 else 0 for e in known]
        axes.errorbar(
            [places[edges] + shifts[index] for edges in known],
            means,
            yerr=spread,
            label=one.title,
            elinewidth=0.8,
            linewidth=1.3,
            **style(index),
        )
    axes.set_xticks(range(len(bins)), [f"{a:g} to {b:g}" for a, b in bins])
    axes.set_xlabel("cloud cover of the scene (%)")
    axes.set_ylabel("mIoU (%)")
    _legend(figure, axes)
    return figure


def draw_accuracy_over_cost(series: Sequence[Series]) -> Figure:
    """MIoU on cloudy pixels over GFLOPs; the markers' area grows with the parameters."""
    figure, axes = _figure(8, 5.5, series)
    known = [
        (index, one)
        for index, one in enumerate(series)
        if one.score is not None and one.gflops and one.parameters_m
    ]
    largest = max((one.parameters_m for _, one in known), default=1)
    for index, one in known:
        look = style(index)
        axes.scatter(
            one.gflops,
            one.score,
            s=_area(one, largest),
            color=look["color"],
            marker=look["marker"],
            alpha=0.75,
            edgecolors="black",
            linewidths=0.5,
            label=one.title,
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(0.12)
    axes.set_xlabel("GFLOPs of a prediction (multiply-adds)")
    axes.set_ylabel("mIoU on cloudy pixels (%)")
    axes.set_title(f"area of a marker: parameters, largest {largest:.1f} M", fontsize=9)
    _label_points(axes, [one for _, one in known], largest)
    _legend(figure, axes, markerscale=0.6)
    return figure


def draw_class_bars(series: Sequence[Series]) -> Figure:
    """IoU of every class on cloudy pixels, a bar for each method; lines are seeds' spread."""
    classes = list(dict.fromkeys(name for one in series for name in one.classes))
    width = max(8.0, 0.14 * len(series) * len(classes))
    figure, axes = _figure(min(width, 15), 4.5, series)
    bar = 0.84 / max(len(series), 1)
    for index, one in enumerate(series):
        known = [name for name in classes if one.classes.get(name)]
        axes.bar(
            [classes.index(name) + (index - (len(series) - 1) / 2) * bar for name in known],
            [np.mean(one.classes[name]) for name in known],
            bar,
            yerr=[_spread(one.classes[name]) for name in known],
            error_kw=dict(elinewidth=0.6),
            color=style(index)["color"],
            hatch=("", "///", "...")[index // len(_COLOURS) % 3],
            edgecolor="white",
            linewidth=0.3,
            label=one.title,
        )
    axes.set_xticks(range(len(classes)), classes)
    axes.set_ylabel("IoU on cloudy pixels (%)")
    axes.grid(axis="x", visible=False)
    _legend(figure, axes)
    return figure


def draw_calibration(series: Sequence[Series]) -> Figure:
    """Risk over coverage and accuracy over confidence, both on cloudy pixels, seeds pooled."""
    figure, axes = _figure(11, 4.8, series, columns=2)
    risk, diagram = axes
    for index, one in enumerate(series):
        if one.confidence is None or not one.confidence.pixels:
            continue
        look = style(index) | dict(markersize=4, linewidth=1.3, label=one.title)
        coverage, wrong = risk_coverage_curve(one.confidence)
        # By coverage: most bins of confidence hold few pixels.
        marked = np.unique(np.searchsorted(coverage[:-1], np.linspace(0.1, 1, 10))).tolist()
        risk.plot(100 * coverage, 100 * wrong, markevery=marked, **look)
        _, accuracy, confidence = reliability(one.confidence)
        known = np.isfinite(accuracy)
        diagram.plot(100 * confidence[known], 100 * accuracy[known], **look)
    risk.set_xlabel("coverage: most certain pixels (%)")
    risk.set_ylabel("risk: wrong among them (%)")
    diagram.plot([0, 100], [0, 100], color="grey", linewidth=0.8)
    diagram.set_xlabel("confidence (%)")
    diagram.set_ylabel("accuracy (%)")
    _legend(figure, risk)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG."""
    figure.savefig(path, format="png", dpi=_DPI)


def _spread(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def _figure(
    width: float, height: float, series: Sequence[Series], columns: int = 1
) -> tuple[Figure, Axes | np.ndarray]:
    legend = 0.24 * -(-len(series) // _legend_columns(width, [s.title for s in series])) + 0.1
    figure = Figure(figsize=(width, height + legend), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, columns)
    for one in np.atleast_1d(axes):
        one.grid(visible=True, color="0.9", linewidth=0.8)
        one.set_axisbelow(True)
        one.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _legend_columns(width: float, titles: Sequence[str]) -> int:
    """How many columns of names fit a figure of this width in inches."""
    longest = max((len(title) for title in titles), default=1)
    return max(int(width / (_ENTRY_INCHES + _LETTER_INCHES * longest)), 1)


def _legend(figure: Figure, axes: Axes, **look: float) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(
            handles,
            labels,
            loc="outside lower center",
            ncol=_legend_columns(figure.get_figwidth(), labels),
            fontsize=8,
            frameon=False,
            **look,
        )


def _area(one: Series, largest: float) -> float:
    return 30 + 370 * one.parameters_m / largest


def _label_points(axes: Axes, known: Sequence[Series], largest: float) -> None:
    # Neighbours in score take turns above and below, which keeps most labels apart.
    sides = itertools.cycle(((1, "bottom"), (-1, "top")))
    for one in sorted(known, key=lambda one: one.score):
        side, anchor = next(sides)
        axes.annotate(
            one.title,
            (one.gflops, one.score),
            xytext=(0, side * (2 + _area(one, largest) ** 0.5 / 2)),
            textcoords="offset points",
            ha="center",
            va=anchor,
            fontsize=7,
        )
