"""Suites, and runs as the tools leave them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mmcloudseg.benchmark.suite import Suite, load_suite
from mmcloudseg.evaluation.arrays import calibration_to_npz
from mmcloudseg.evaluation.calibration import CONFIDENCE_BINS, ConfidenceHistogram

CLASSES = ("forest", "water")
SUITE = """
title = "A trial"
data = "mini M3M-CR"
seeds = [0, 4]
reference = "sar"
methods = dict(
    student=dict(title="Student", config="cloudseg_mini.py", teacher="teacher"),
    teacher=dict(title="Teacher", config="cloudseg_teacher_mini.py", listed=False),
    sar=dict(
        title="SAR",
        config="baselines/segformer_mit-b0_mini.py",
        options={"model.backbone.modalities": ["sar"]},
    ),
)
"""


@pytest.fixture
def suite_text() -> str:
    """What ``suite`` is read from."""
    return SUITE


@pytest.fixture
def write_suite(tmp_path) -> Callable[[str], Path]:
    """``write_suite(text)``: the path of a suite of that text."""

    def write(text: str = SUITE) -> Path:
        path = tmp_path / "trial.py"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def suite(write_suite) -> Suite:
    """Student, teacher (not listed) and a baseline; seeds 0 and 4."""
    return load_suite(write_suite())


@pytest.fixture
def leave_run() -> Callable:
    """``leave_run(folder, scores, hits=…)``: files of a tested run with that share of hits."""

    def leave(folder: Path, scores: dict, hits: float = 0.5) -> None:
        test = folder / "test"
        test.mkdir(parents=True)
        (test / "scores.json").write_text(json.dumps(scores))
        right, wrong = round(100 * hits), round(100 * (1 - hits))
        matrices = np.tile(np.array([[right, wrong], [wrong, right]]), (24, 3, 1, 1))
        names = np.array([f"scene_{i}" for i in range(24)])
        np.savez(
            test / "confusion.npz",
            names=names,
            areas=names,
            cover=np.full(24, 50.0),
            matrices=matrices,
            classes=np.array(CLASSES),
        )
        count = np.zeros(CONFIDENCE_BINS, dtype=np.int64)
        count[[800, 1400]] = 50
        correct = np.zeros(CONFIDENCE_BINS, dtype=np.int64)
        correct[1400] = right // 2
        histogram = ConfidenceHistogram(count, correct, count * 0.7)
        regions = ("all", "cloud_free", "cloudy")
        calibration_to_npz(dict.fromkeys(regions, histogram), test / "calibration.npz")

    return leave
