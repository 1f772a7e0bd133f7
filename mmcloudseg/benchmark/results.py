"""The results of a suite: what its finished runs have written, by method."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mmcloudseg.benchmark.robustness_curve import robustness_scores
from mmcloudseg.benchmark.run import Run
from mmcloudseg.benchmark.suite import Method
from mmcloudseg.evaluation.arrays import (
    CALIBRATION_FILE,
    CONFUSION_FILE,
    histogram_from_arrays,
    load_arrays,
)
from mmcloudseg.evaluation.calibration import ConfidenceHistogram
from mmcloudseg.evaluation.score_keys import ScoreKey


@dataclass(frozen=True)
class RunResult:
    """One finished run.

    ``values`` are its scores by the keys of ``scores.json`` and of ``robustness_scores``, without
    undefined ones.
    """

    seed: int
    folder: Path
    values: Mapping[str, float]

    def confusion(self) -> dict[str, np.ndarray] | None:
        """Return the confusion matrices that the test wrote; None if it wrote none."""
        return self._arrays(CONFUSION_FILE)

    def confidence(self, region: str) -> ConfidenceHistogram | None:
        """Return the pixels of a region by confidence; None if the test did not count them."""
        arrays = self._arrays(CALIBRATION_FILE)
        return None if arrays is None else histogram_from_arrays(arrays, region)

    def _arrays(self, name: str) -> dict[str, np.ndarray] | None:
        path = self.folder / "test" / name
        return load_arrays(path) if path.is_file() else None


@dataclass(frozen=True)
class MethodResult:
    """The finished runs of a method in the order of their seeds, and its cost if measured."""

    method: Method
    runs: list[RunResult]
    cost: Mapping[str, float] = field(default_factory=dict)

    def measured(self) -> list[str]:
        """List the keys of all scores and costs."""
        return list(dict.fromkeys([*(key for run in self.runs for key in run.values), *self.cost]))

    def values(self, key: ScoreKey | str) -> list[float]:
        """Return a score of every run that has it, or a cost, of which there is one."""
        if key in self.cost:
            return [self.cost[str(key)]]
        return [run.values[str(key)] for run in self.runs if str(key) in run.values]

    def mean(self, key: ScoreKey | str) -> float:
        """Compute the mean over seeds; NaN if no run has the score."""
        values = self.values(key)
        return statistics.fmean(values) if values else math.nan

    def std(self, key: ScoreKey | str) -> float:
        """Compute the standard deviation over seeds (n - 1); NaN for fewer than two."""
        values = self.values(key)
        return statistics.stdev(values) if len(values) > 1 else math.nan

    def confidence(self, region: str) -> ConfidenceHistogram | None:
        """Sum the pixels of a region by confidence over seeds; None if no run counted them."""
        found = [histogram for run in self.runs if (histogram := run.confidence(region))]
        return ConfidenceHistogram.total(found) if found else None


def gather(runs: Iterable[Run]) -> list[MethodResult]:
    """Read the results of the listed methods that have at least one tested run.

    Methods with the highest mIoU on cloudy pixels come first, and bounds after all others.
    """
    found: dict[str, MethodResult] = {}
    for run in runs:
        scores = run.folder / "test" / "scores.json"
        if run.method.listed and scores.is_file():
            result = found.setdefault(run.method.key, MethodResult(run.method, []))
            result.runs.append(_read(run, scores))
    for result in found.values():
        result.runs.sort(key=lambda run: run.seed)
    return sorted(found.values(), key=_rank)


def _rank(result: MethodResult) -> tuple[bool, float]:
    score = result.mean(ScoreKey("mIoU", "cloudy"))
    return result.method.bound, math.inf if math.isnan(score) else -score


def _read(run: Run, scores: Path) -> RunResult:
    values: dict[str, Any] = json.loads(scores.read_text())
    robustness = run.folder / "robustness" / "robustness.json"
    if run.robustness is not None and robustness.is_file():
        values |= robustness_scores(json.loads(robustness.read_text()))
    known = {k: float(v) for k, v in values.items() if v is not None and math.isfinite(v)}
    return RunResult(run.seed, run.folder, known)
