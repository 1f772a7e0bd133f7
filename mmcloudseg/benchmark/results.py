"""What the finished runs of a suite have written, by method."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmcloudseg.benchmark.run import Run
from mmcloudseg.benchmark.suite import Method
from mmcloudseg.evaluation.arrays import load_arrays
from mmcloudseg.evaluation.calibration import ConfidenceHistogram


@dataclass(frozen=True)
class RunResult:
    """One finished run.

    Attributes:
        seed: Its seed.
        folder: Where it lies.
        values: Keys of ``scores.json``, and those of ``robustness.json`` as
            ``robustness/missing/<modality>/mIoU``, ``robustness/auc/<kind>``. Only what is known.
    """

    seed: int
    folder: Path
    values: Mapping[str, float]

    def arrays(self, name: str) -> dict[str, np.ndarray] | None:
        """``confusion`` or ``calibration`` as the test wrote them; None if it did not."""
        path = self.folder / "test" / f"{name}.npz"
        if not path.is_file():
            return None
        return load_arrays(path)


@dataclass(frozen=True)
class MethodResult:
    """A method's finished runs, in the order of their seeds."""

    method: Method
    runs: Sequence[RunResult]

    def values(self, key: str) -> list[float]:
        """A score of every run that has it."""
        return [run.values[key] for run in self.runs if key in run.values]

    def mean(self, key: str) -> float:
        """Mean over seeds; nan if no run has the score."""
        values = self.values(key)
        return statistics.fmean(values) if values else math.nan

    def std(self, key: str) -> float:
        """Standard deviation over seeds (n - 1); nan of fewer than two."""
        values = self.values(key)
        return statistics.stdev(values) if len(values) > 1 else math.nan

    def confidence(self, region: str) -> ConfidenceHistogram | None:
        """Pixels of a region by confidence, summed over seeds; None where no run counted them."""
        found = [run.arrays("calibration") for run in self.runs]
        names = [f"{region}_{part}" for part in ("count", "correct", "confidence_sum")]
        histograms = [
            ConfidenceHistogram(*(arrays[name] for name in names))
            for arrays in found
            if arrays is not None and names[0] in arrays
        ]
        return ConfidenceHistogram.total(histograms) if histograms else None


def gather(runs: Iterable[Run]) -> list[MethodResult]:
    """Results of the runs that have been tested.

    Args:
        runs: As ``plan_runs`` gives them, of any state.

    Returns:
        An entry for each listed method with at least one tested run, best under clouds first and
        bounds after all others.
    """
    found: dict[str, list[RunResult]] = {}
    methods: dict[str, Method] = {}
    for run in runs:
        scores = run.folder / "test" / "scores.json"
        if run.method.listed and scores.is_file():
            methods[run.method.key] = run.method
            found.setdefault(run.method.key, []).append(_read(run, scores))
    results = [
        MethodResult(methods[key], sorted(list_, key=lambda run: run.seed))
        for key, list_ in found.items()
    ]
    return sorted(results, key=_rank)


def _rank(result: MethodResult) -> tuple[bool, float]:
    score = result.mean("cloudy/mIoU")
    return result.method.bound, math.inf if math.isnan(score) else -score


def _read(run: Run, scores: Path) -> RunResult:
    values = _known(json.loads(scores.read_text()))
    robustness = run.folder / "robustness" / "robustness.json"
    if run.robustness is not None and robustness.is_file():
        content = json.loads(robustness.read_text())
        nested = {key: content[key] for key in ("missing", "auc") if key in content}
        values |= _known(_flat(nested, "robustness"))
    return RunResult(run.seed, run.folder, values)


def _known(values: Mapping[str, Any]) -> dict[str, float]:
    return {
        key: float(value)
        for key, value in values.items()
        if value is not None and math.isfinite(value)
    }


def _flat(content: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in content.items():
        name = f"{prefix}/{key}"
        flat |= _flat(value, name) if isinstance(value, Mapping) else {name: value}
    return flat
