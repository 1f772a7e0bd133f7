"""A suite's report: tables, differences, plots and the environment, in one folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from mmcloudseg.benchmark.differences import write_differences
from mmcloudseg.benchmark.environment import write_environment
from mmcloudseg.benchmark.leaderboard import Costs, write_leaderboard
from mmcloudseg.benchmark.plots import (
    Series,
    draw_accuracy_over_cost,
    draw_calibration,
    draw_class_bars,
    draw_score_over_cover,
    save,
)
from mmcloudseg.benchmark.results import MethodResult
from mmcloudseg.benchmark.run import Run
from mmcloudseg.benchmark.suite import Suite
from mmcloudseg.utils.files import atomic_write

_COVER, _MIOU = "cover_", "/mIoU"
_CLASS = "cloudy/IoU/"


def write_report(
    folder: Path,
    suite: Suite,
    runs: Sequence[Run],
    results: Sequence[MethodResult],
    costs: Costs,
    notes: Sequence[str] = (),
) -> None:
    """Write everything that can be told from the finished runs.

    Args:
        folder: Where to; made if missing.
        suite: The suite.
        runs: Its runs, of any state.
        results: Its methods, best first; at least one.
        costs: By the methods' keys; may be empty.
        notes: Sentences for the head of the tables, such as which runs are missing.
    """
    notes = [*notes, *write_differences(folder, results, suite.reference)]
    write_leaderboard(folder, suite, results, costs, notes)
    write_environment(folder, runs)
    series = [_series(result, costs) for result in results]
    for name, (draw, drawable) in _PLOTS.items():
        known = [one for one in series if drawable(one)]
        # Styles go by place in the list: a plot without a method keeps the others' colours.
        if known:
            with atomic_write(folder / f"{name}.png") as temporary:
                save(draw(series), temporary)


_PLOTS: Mapping[str, tuple[Callable[[Sequence[Series]], Figure], Callable[[Series], object]]] = {
    "score_over_cover": (draw_score_over_cover, lambda one: one.covers),
    "accuracy_over_cost": (draw_accuracy_over_cost, lambda one: one.score and one.gflops),
    "class_bars": (draw_class_bars, lambda one: one.classes),
    "calibration": (draw_calibration, lambda one: one.confidence is not None),
}


def _series(result: MethodResult, costs: Costs) -> Series:
    keys = dict.fromkeys(key for run in result.runs for key in run.values)
    covers = [key for key in keys if key.startswith(_COVER) and key.endswith(_MIOU)]
    score = result.mean("cloudy/mIoU")
    cost = costs.get(result.method.key, {})
    return Series(
        title=result.method.title,
        covers={_edges(key): result.values(key) for key in covers},
        classes={k.removeprefix(_CLASS): result.values(k) for k in keys if k.startswith(_CLASS)},
        score=None if np.isnan(score) else score,
        gflops=cost.get("gflops"),
        parameters_m=cost.get("parameters_m"),
        confidence=result.confidence("cloudy"),
    )


def _edges(key: str) -> tuple[float, float]:
    low, high = key.removeprefix(_COVER).removesuffix(_MIOU).split("-")
    return float(low), float(high)
