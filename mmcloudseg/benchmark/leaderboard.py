"""The tables: ``leaderboard.md`` for reading, ``leaderboard.csv`` for further processing."""

from __future__ import annotations

import csv
import io
import math
import statistics
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmcloudseg.benchmark.results import MethodResult
from mmcloudseg.benchmark.robustness_curve import AUC_KEY, MISSING_KEY, MISSING_TITLES
from mmcloudseg.benchmark.suite import Suite
from mmcloudseg.evaluation.score_keys import CALIBRATION, ScoreKey, cover_edges, region_title
from mmcloudseg.utils.files import write_text
from mmcloudseg.utils.text import format_number, markdown_table

_REGIONS = ("cloudy", "cloud_free", "all")


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: Its heading, in both files.
        key: Key of the score or cost.
        lower: Whether lower values are better.
        cost: Whether it is measured once for a method instead of for each seed.
        digits: Decimals in Markdown.
    """

    title: str
    key: str
    lower: bool = False
    cost: bool = False
    digits: int = 2

    def best(self, results: Iterable[MethodResult]) -> set[str]:
        """Return the keys of the methods with the best mean, as shown; bounds do not compete."""
        means = {
            result.method.key: round(statistics.fmean(values), self.digits)
            for result in results
            if not result.method.bound and (values := result.values(self.key))
        }
        if len(means) < 2:
            return set()
        winner = (min if self.lower else max)(means.values())
        return {key for key, value in means.items() if value == winner}

    def cell(self, result: MethodResult, best: Collection[str]) -> str:
        """Write the mean of a method, in bold if among the best, and its standard deviation."""
        mean, std = result.mean(self.key), result.std(self.key)
        text = format_number(mean, self.digits)
        if not math.isnan(std):
            text += f" ± {std:.{self.digits}f}"
        return f"**{text}**" if result.method.key in best else text


_COST = [
    Column("parameters (M)", "parameters_m", lower=True, cost=True),
    Column("GFLOPs", "gflops", lower=True, cost=True),
    Column("ms per image", "milliseconds", lower=True, cost=True, digits=1),
    Column("peak memory (MB)", "peak_mb", lower=True, cost=True, digits=0),
]


def _tables(suite: Suite, results: Sequence[MethodResult]) -> dict[str, list[Column]]:
    """Title -> columns of what was measured; columns without any value are left out."""
    keys = dict.fromkeys(key for result in results for key in result.measured())
    scores = [*_score_columns("mIoU", "mIoU"), *_score_columns("OA", "aAcc", _REGIONS[:1])]
    scores += [Column(title, key) for title, key in suite.metrics.items()]
    accuracies = _score_columns("OA", "aAcc", _REGIONS[1:]) + _score_columns("mF1", "mFscore")
    calibration = {"ECE": "ECE", "ECE, cloudy": "cloudy/ECE", "AURC, cloudy": "cloudy/AURC"}
    found = {
        # A column of the suite replaces the usual one of the same title.
        "Scores": list({column.title: column for column in scores}.values()),
        "Overall accuracy and mean F1": accuracies,
        "mIoU by cloud cover of the scene": _cover_columns(keys),
        "With a modality missing, and over simulated cover": _robustness_columns(keys),
        "Calibration (lower is better)": [
            Column(title, f"{CALIBRATION}/{key}", lower=True) for title, key in calibration.items()
        ],
        "Cost": _COST,
    }
    shown = {title: [c for c in columns if c.key in keys] for title, columns in found.items()}
    return {title: columns for title, columns in shown.items() if columns}


def _score_columns(title: str, score: str, regions: Sequence[str] = _REGIONS) -> list[Column]:
    return [Column(f"{title} {region_title(r)}", str(ScoreKey(score, r))) for r in regions]


def _cover_columns(keys: Iterable[str]) -> list[Column]:
    regions = dict.fromkeys(ScoreKey.parse(key).region for key in keys)
    bins = {edges: region for region in regions if (edges := cover_edges(region))}
    return [
        Column(f"{low:g} to {high:g} %", str(ScoreKey("mIoU", bins[low, high])))
        for low, high in sorted(bins)
    ]


def _robustness_columns(keys: Iterable[str]) -> list[Column]:
    titles = MISSING_TITLES.items()
    columns = [Column(f"mIoU, {title}", MISSING_KEY.format(m, "mIoU")) for m, title in titles]
    start = AUC_KEY.format("")
    auc = [key.removeprefix(start) for key in keys if key.startswith(start)]
    return columns + [Column(f"AUC, {kind}", AUC_KEY.format(kind)) for kind in auc]


def write_leaderboard(
    folder: Path, suite: Suite, results: Sequence[MethodResult], notes: Sequence[str] = ()
) -> None:
    """Write ``leaderboard.md`` and ``.csv``: methods, best first, with the notes above them."""
    tables = _tables(suite, results)
    parts = [f"# {suite.title}", _heading(suite, results), *(f"**{note}**" for note in notes)]
    for title, columns in tables.items():
        best = {column: column.best(results) for column in columns}
        rows = [
            [result.method.title, *(c.cell(result, best[c]) for c in columns)]
            for result in results
        ]
        heads = ["", *(column.title for column in columns)]
        parts += [f"## {title}", markdown_table(heads, rows)]
    write_text(folder / "leaderboard.md", "\n\n".join(parts) + "\n")
    every = [column for columns in tables.values() for column in columns]
    write_text(folder / "leaderboard.csv", _csv(every, results))


def _heading(suite: Suite, results: Sequence[MethodResult]) -> str:
    counts = {len(result.runs) for result in results}
    seeds = " to ".join(dict.fromkeys(map(str, (min(counts), max(counts)))))
    spread = "mean ± standard deviation over seeds" if counts != {1} else "of one seed"
    return (
        f"This page compares {len(results)} methods on {suite.data}, with {seeds} seed(s) each. "
        f"Scores are in percent, {spread}. Methods are sorted by mIoU on cloudy pixels, and the "
        "best value of each column is in bold."
    )


def _csv(columns: Sequence[Column], results: Sequence[MethodResult]) -> str:
    rows = [["method", "title", "seeds"]]
    for column in columns:
        title = column.title
        rows[0] += [title] if column.cost else [f"{title} mean", f"{title} std"]
    for result in results:
        seeds = " ".join(str(run.seed) for run in result.runs)
        row = [result.method.key, result.method.title, seeds]
        for column in columns:
            values = [result.mean(column.key), result.std(column.key)][: 1 if column.cost else 2]
            row += ["" if math.isnan(value) else f"{value:.6g}" for value in values]
        rows.append(row)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
