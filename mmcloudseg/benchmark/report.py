"""The report of a suite: tables, differences, plots and the environment, in one folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmcloudseg.benchmark.differences import write_differences
from mmcloudseg.benchmark.environment import environment_text
from mmcloudseg.benchmark.leaderboard import write_leaderboard
from mmcloudseg.benchmark.plots import PLOTS, Series, save
from mmcloudseg.benchmark.results import MethodResult
from mmcloudseg.benchmark.run import Run
from mmcloudseg.benchmark.suite import Suite
from mmcloudseg.evaluation.score_keys import ScoreKey, cover_edges
from mmcloudseg.utils.files import write_text


def write_report(
    folder: Path,
    suite: Suite,
    runs: Sequence[Run],
    results: Sequence[MethodResult],
    notes: Sequence[str] = (),
) -> None:
    """Write all files of the report from runs, finished or not, and results, best first."""
    notes = [*notes, *write_differences(folder, results, suite.reference)]
    write_leaderboard(folder, suite, results, notes)
    write_text(folder / "environment.txt", environment_text(runs))
    series = [_series(result) for result in results]
    for name, (draw, drawable) in PLOTS.items():
        # Every plot gets all methods, so that a method has one colour in all of them.
        if any(map(drawable, series)):
            save(draw(series), folder / f"{name}.png")


def _series(result: MethodResult) -> Series:
    covers, classes = {}, {}
    for key in result.measured():
        parts = ScoreKey.parse(key)
        edges = cover_edges(parts.region)
        if edges and parts == ScoreKey("mIoU", parts.region):
            covers[edges] = result.values(key)
        elif parts.item and parts == ScoreKey("IoU", "cloudy", parts.item):
            classes[parts.item] = result.values(key)
    score = result.mean(ScoreKey("mIoU", "cloudy"))
    return Series(
        title=result.method.title,
        covers=covers,
        classes=classes,
        score=None if np.isnan(score) else score,
        gflops=result.cost.get("gflops"),
        parameters_m=result.cost.get("parameters_m"),
        confidence=result.confidence("cloudy"),
    )
