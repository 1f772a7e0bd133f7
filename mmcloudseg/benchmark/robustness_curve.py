"""Scores over simulated cloud cover and with a modality missing."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scipy.integrate import trapezoid

from mmcloudseg.evaluation.score_keys import SUMMARY_SCORES
from mmcloudseg.utils.text import format_number, markdown_table

SCORES = ("mIoU", "aAcc", "mFscore")
"""Scores of ``CloudIoUMetric`` that a point has, in percent, of all pixels."""
MISSING_TITLES = dict(optical="optical missing", sar="SAR missing")
OWN_CLOUDS = "own clouds"
MISSING_KEY = "robustness/missing/{}/{}"
AUC_KEY = "robustness/auc/{}"
"""Keys of the scores of ``robustness.json`` in tables: of a modality and score, and of a kind."""

_TITLES = {key: title for key, title, _ in SUMMARY_SCORES}
Scores = dict[str, float]


@dataclass
class RobustnessCurve:
    """Scores of one model on one test set, all in percent.

    Attributes:
        clouds: Kind of cloud -> cover in percent, rising -> scores under such clouds.
        missing: Modality -> scores without it, under the clouds of the dataset itself.
        own_clouds: Scores under the clouds of the dataset itself with both modalities; empty if
            they were not measured.
    """

    clouds: dict[str, dict[float, Scores]] = field(default_factory=dict)
    missing: dict[str, Scores] = field(default_factory=dict)
    own_clouds: Scores = field(default_factory=dict)

    @property
    def auc(self) -> dict[str, float]:
        """Kind -> area under its mIoU curve; see ``area_under_curve``."""
        return {
            kind: area_under_curve(list(points), [s["mIoU"] for s in points.values()])
            for kind, points in self.clouds.items()
        }

    def unsimulated(self) -> dict[str, Scores]:
        """Title -> scores under the clouds of the dataset itself, with both modalities first."""
        whole = {OWN_CLOUDS: self.own_clouds} if self.own_clouds else {}
        return whole | {MISSING_TITLES[name]: s for name, s in self.missing.items()}

    def points(self) -> list[tuple[str, float, Scores]]:
        """Kind, cover and scores of each point with simulated clouds."""
        return [
            (k, c, scores) for k, points in self.clouds.items() for c, scores in points.items()
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``robustness.json``; NaN becomes None."""
        return dict(
            points=[dict(kind=k, cover=c, **_without_nan(s)) for k, c, s in self.points()],
            missing={name: _without_nan(scores) for name, scores in self.missing.items()},
            auc=_without_nan(self.auc),
            own_clouds=_without_nan(self.own_clouds),
        )

    def to_csv(self) -> str:
        """Write one line per measurement; the cover is empty without simulated clouds."""
        measured = [(kind, f"{cover:g}", scores) for kind, cover, scores in self.points()]
        measured += [(title, "", scores) for title, scores in self.unsimulated().items()]
        rows = [["clouds", "cover_percent", *SCORES]]
        for title, cover, scores in measured:
            cells = ["" if math.isnan(scores[key]) else f"{scores[key]:.4f}" for key in SCORES]
            rows.append([title, cover, *cells])
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        return text.getvalue()

    def to_markdown(self) -> str:
        """Write a table of mIoU over cover with the areas, and one without simulated clouds."""
        parts = []
        if self.clouds:
            rows = [
                [f"{cover:g}", *(format_number(p[cover]["mIoU"]) for p in self.clouds.values())]
                for cover in next(iter(self.clouds.values()))
            ]
            rows.append(["area under the curve", *map(format_number, self.auc.values())])
            titles = [f"mIoU, {kind} (%)" for kind in self.clouds]
            parts.append(markdown_table(["cover (%)", *titles], rows))
        if self.unsimulated():
            whole = {OWN_CLOUDS: "nothing missing"}
            rows = [
                [whole.get(title, title), *(format_number(scores[key]) for key in SCORES)]
                for title, scores in self.unsimulated().items()
            ]
            titles = [f"{_TITLES[key]} (%)" for key in SCORES]
            parts.append(markdown_table(["under the dataset's own clouds", *titles], rows))
        return "\n\n".join(parts)


def robustness_scores(content: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the scores of the content of a ``robustness.json`` by the keys that tables use."""
    scores = {AUC_KEY.format(kind): area for kind, area in content.get("auc", {}).items()}
    for modality, found in content.get("missing", {}).items():
        scores |= {MISSING_KEY.format(modality, key): value for key, value in found.items()}
    return scores


def area_under_curve(covers: Sequence[float], values: Sequence[float]) -> float:
    """Compute the mean height of a curve over rising covers: its trapezoids, over its width.

    NaN for fewer than two points.
    """
    if len(covers) < 2:
        return math.nan
    return float(trapezoid(values, covers) / (covers[-1] - covers[0]))


def _without_nan(values: Scores) -> dict[str, float | None]:
    return {key: None if math.isnan(value) else value for key, value in values.items()}
