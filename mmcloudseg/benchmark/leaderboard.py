"""The tables: ``leaderboard.md`` for reading, ``leaderboard.csv`` for computing."""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmcloudseg.benchmark.results import MethodResult
from mmcloudseg.benchmark.suite import Suite
from mmcloudseg.utils.files import atomic_write

_REGIONS = {"cloudy": "cloudy/", "cloud-free": "cloud_free/", "all": ""}
_MEASURES = {"mIoU": "mIoU", "OA": "aAcc", "mF1": "mFscore"}


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        title: Its heading, in both files.
        key: Of the scores, or of the cost if ``cost``.
        lower: Lower is better.
        cost: It is measured once for a method, not for each seed.
        digits: Decimals in Markdown.
    """

    title: str
    key: str
    lower: bool = False
    cost: bool = False
    digits: int = 2


@dataclass(frozen=True)
class Table:
    """Columns that are shown together under a heading."""

    title: str
    columns: Sequence[Column]


Costs = Mapping[str, Mapping[str, float]]
"""Method's key -> cost's key -> value."""

COST = Table(
    "Cost",
    (
        Column("parameters (M)", "parameters_m", lower=True, cost=True),
        Column("GFLOPs", "gflops", lower=True, cost=True),
        Column("ms per image", "milliseconds", lower=True, cost=True, digits=1),
        Column("peak memory (MB)", "peak_mb", lower=True, cost=True, digits=0),
    ),
)


def tables(suite: Suite, results: Sequence[MethodResult]) -> list[Table]:
    """The tables for what was measured; columns that nobody has a value for are left out."""
    keys = [key for result in results for run in result.runs for key in run.values]
    covers = dict.fromkeys(
        key.split("/")[0] for key in keys if key.startswith("cover_") and key.endswith("/mIoU")
    )
    kinds = dict.fromkeys(key for key in keys if key.startswith("robustness/auc/"))
    aurc = "AURC, cloudy"
    all_tables = [
        Table(
            "Scores",
            [_score("mIoU", region) for region in _REGIONS]
            + [_score("OA", "cloudy")]
            + [Column(title, key) for title, key in suite.metrics.items()],
        ),
        Table(
            "Overall accuracy and mean F1",
            [_score(m, r) for m in ("OA", "mF1") for r in _REGIONS if (m, r) != ("OA", "cloudy")],
        ),
        Table(
            "mIoU by cloud cover of the scene",
            [
                Column(f"{name.removeprefix('cover_').replace('-', ' to ')} %", f"{name}/mIoU")
                for name in sorted(covers, key=_lower_edge)
            ],
        ),
        Table(
            "With a modality missing, and over simulated cover",
            [
                Column("mIoU, optical missing", "robustness/missing/optical/mIoU"),
                Column("mIoU, SAR missing", "robustness/missing/sar/mIoU"),
                *(Column(f"AUC, {key.rsplit('/', 1)[1]}", key) for key in kinds),
            ],
        ),
        Table(
            "Calibration (lower is better)",
            [
                Column("ECE", "calibration/ECE", lower=True),
                Column("ECE, cloudy", "calibration/cloudy/ECE", lower=True),
                Column(aurc, "calibration/cloudy/AURC", lower=True),
            ],
        ),
    ]
    present = set(keys)
    kept = [Table(t.title, [c for c in t.columns if c.key in present]) for t in all_tables]
    return [table for table in kept if table.columns]


def _score(measure: str, region: str) -> Column:
    return Column(f"{measure} {region}", f"{_REGIONS[region]}{_MEASURES[measure]}")


def _lower_edge(name: str) -> float:
    return float(name.removeprefix("cover_").split("-")[0])


def write_leaderboard(
    folder: Path,
    suite: Suite,
    results: Sequence[MethodResult],
    costs: Costs | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Write ``leaderboard.md`` and ``leaderboard.csv``.

    Args:
        folder: Where to.
        suite: The suite.
        results: Its methods, best first.
        costs: By the methods' keys.
        notes: Sentences that stand above the tables, such as which runs are missing.
    """
    costs = costs or {}
    shown = tables(suite, results)
    if costs:
        shown.append(COST)
    lines = [f"# {suite.title}", "", _heading(suite, results), ""]
    for note in notes:
        lines += [f"**{note}**", ""]
    for table in shown:
        lines += [f"## {table.title}", "", *_markdown(table, results, costs), ""]
    with atomic_write(folder / "leaderboard.md") as temporary:
        temporary.write_text("\n".join(lines[:-1]) + "\n")
    columns = [column for table in shown for column in table.columns]
    with atomic_write(folder / "leaderboard.csv") as temporary:
        _write_csv(temporary, columns, results, costs)


def _heading(suite: Suite, results: Sequence[MethodResult]) -> str:
    counts = {len(result.runs) for result in results}
    seeds = " to ".join(dict.fromkeys(map(str, (min(counts), max(counts)))))
    spread = "mean ± standard deviation over seeds" if counts != {1} else "of one seed"
    return (
        f"{suite.data}; {len(results)} methods, {seeds} seed(s) each. Scores in percent, "
        f"{spread}; sorted by mIoU on cloudy pixels, the best of each column in bold."
    )


def _markdown(table: Table, results: Sequence[MethodResult], costs: Costs) -> list[str]:
    lines = [
        f"| | {' | '.join(column.title for column in table.columns)} |",
        f"| :--- |{' ---: |' * len(table.columns)}",
    ]
    best = {column: _best(column, results, costs) for column in table.columns}
    for result in results:
        cells = []
        for column in table.columns:
            cell = _cell(column, result, costs)
            cells.append(f"**{cell}**" if result.method.key in best[column] else cell)
        lines.append(f"| {result.method.title} | {' | '.join(cells)} |")
    return lines


def _values(column: Column, result: MethodResult, costs: Costs) -> list[float]:
    if not column.cost:
        return result.values(column.key)
    value = costs.get(result.method.key, {}).get(column.key)
    return [] if value is None else [value]


def _cell(column: Column, result: MethodResult, costs: Costs) -> str:
    values = _values(column, result, costs)
    if not values:
        return "-"
    text = f"{statistics.fmean(values):.{column.digits}f}"
    return f"{text} ± {statistics.stdev(values):.{column.digits}f}" if len(values) > 1 else text


def _best(column: Column, results: Iterable[MethodResult], costs: Costs) -> set[str]:
    means = {
        result.method.key: round(statistics.fmean(values), column.digits)
        for result in results
        if not result.method.bound and (values := _values(column, result, costs))
    }
    if len(means) < 2:
        return set()
    winner = (min if column.lower else max)(means.values())
    # What reads the same is as good.
    return {key for key, value in means.items() if value == winner}


def _write_csv(
    path: Path, columns: Sequence[Column], results: Sequence[MethodResult], costs: Costs
) -> None:
    header = ["method", "title", "seeds"]
    for column in columns:
        header += (
            [column.title] if column.cost else [f"{column.title} mean", f"{column.title} std"]
        )
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for result in results:
            seeds = " ".join(str(run.seed) for run in result.runs)
            row = [result.method.key, result.method.title, seeds]
            for column in columns:
                if column.cost:
                    row += [_number(v) for v in _values(column, result, costs)] or [""]
                else:
                    row += [_number(result.mean(column.key)), _number(result.std(column.key))]
            writer.writerow(row)


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"
