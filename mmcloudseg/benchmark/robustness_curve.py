"""Scores over simulated cloud cover and without a modality, and what sums them up."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from prettytable import PrettyTable, TableStyle
from scipy.integrate import trapezoid

from mmcloudseg.evaluation.report import SUMMARY_SCORES, format_percent

SCORES = ("mIoU", "aAcc", "mFscore")
"""Keys of `CloudIoUMetric` that a point has, in percent, of all pixels."""
MISSING_TITLES = dict(optical="optical missing", sar="SAR missing")
OWN_CLOUDS = "own clouds"

_TITLES = {key: title for key, title, _ in SUMMARY_SCORES}
Scores = dict[str, float]


@dataclass
class RobustnessCurve:
    """Scores of one model on one test set; all in percent.

    Attributes:
        clouds: Kind of cloud -> cover in percent, rising -> scores under such clouds.
        missing: Modality -> scores without it, under the set's own clouds.
        own_clouds: Scores under the set's own clouds, nothing missing; empty if not measured.
    """

    clouds: dict[str, dict[float, Scores]] = field(default_factory=dict)
    missing: dict[str, Scores] = field(default_factory=dict)
    own_clouds: Scores = field(default_factory=dict)

    @property
    def auc(self) -> dict[str, float]:
        """Kind -> area under its mIoU; see `area_under_curve`."""
        return {
            kind: area_under_curve(list(points), [s["mIoU"] for s in points.values()])
            for kind, points in self.clouds.items()
        }

    def to_json(self) -> dict[str, Any]:
        """The content of ``robustness.json``; nan is None."""
        points = [
            dict(kind=kind, cover=cover, **_without_nan(scores))
            for kind, by_cover in self.clouds.items()
            for cover, scores in by_cover.items()
        ]
        return dict(
            points=points,
            missing={name: _without_nan(scores) for name, scores in self.missing.items()},
            auc=_without_nan(self.auc),
            own_clouds=_without_nan(self.own_clouds),
        )

    def to_csv(self) -> str:
        """One line for each measurement; those without simulated clouds have no cover."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["clouds", "cover_percent", *SCORES])
        for kind, points in self.clouds.items():
            for cover, scores in points.items():
                writer.writerow([kind, f"{cover:g}", *_cells(scores)])
        for title, scores in self.unsimulated().items():
            writer.writerow([title, "", *_cells(scores)])
        return text.getvalue()

    def to_markdown(self) -> str:
        """A table of mIoU over cover with the areas below, and one without simulated clouds."""
        parts = []
        if self.clouds:
            kinds = list(self.clouds)
            table = _table("cover (%)", [f"mIoU, {kind} (%)" for kind in kinds])
            for cover in next(iter(self.clouds.values())):
                row = [format_percent(self.clouds[kind][cover]["mIoU"]) for kind in kinds]
                table.add_row([f"{cover:g}", *row])
            table.add_row(["area under the curve", *map(format_percent, self.auc.values())])
            parts.append(table.get_string())
        if self.unsimulated():
            table = _table("under the set's own clouds", [f"{_TITLES[key]} (%)" for key in SCORES])
            for title, scores in self.unsimulated().items():
                name = "nothing missing" if title == OWN_CLOUDS else title
                table.add_row([name, *(format_percent(scores[key]) for key in SCORES)])
            parts.append(table.get_string())
        return "\n\n".join(parts)

    def unsimulated(self) -> dict[str, Scores]:
        """Title -> scores under the set's own clouds, nothing missing first."""
        whole = {OWN_CLOUDS: self.own_clouds} if self.own_clouds else {}
        return whole | {MISSING_TITLES[name]: s for name, s in self.missing.items()}


def area_under_curve(covers: Sequence[float], values: Sequence[float]) -> float:
    """Mean height of a curve: the area by trapezoids over the width.

    Args:
        covers: Rising.
        values: One for each.

    Returns:
        In the unit of the values; nan for fewer than two points, which enclose no area.
    """
    if len(covers) < 2:
        return math.nan
    return float(trapezoid(values, covers) / (covers[-1] - covers[0]))


def _table(first: str, columns: Sequence[str]) -> PrettyTable:
    table = PrettyTable([first, *columns])
    table.set_style(TableStyle.MARKDOWN)
    table.align = "r"
    table.align[first] = "l"
    return table


def _cells(scores: Scores) -> list[str]:
    return ["" if math.isnan(scores[key]) else f"{scores[key]:.4f}" for key in SCORES]


def _without_nan(values: Scores) -> dict[str, float | None]:
    return {key: None if math.isnan(value) else value for key, value in values.items()}
