from __future__ import annotations

import csv
import dataclasses
import json
import math

import pytest

from mmcloudseg.benchmark.differences import write_differences
from mmcloudseg.benchmark.environment import environment_text
from mmcloudseg.benchmark.leaderboard import write_leaderboard
from mmcloudseg.benchmark.report import write_report
from mmcloudseg.benchmark.results import gather
from mmcloudseg.benchmark.run import plan_runs
from mmcloudseg.benchmark.suite import load_suite

SUITE = """
title, data, seeds, reference = "A trial", "the mini set", [0, 1, 2], "low"
metrics = {"PSNR cloudy (dB)": "cloud_removal/cloudy/PSNR"}
robustness = dict(covers=[0, 100], kinds=["thick"])
methods = dict(
    low=dict(title="Low", config="a.py"),
    oracle=dict(title="Oracle", config="b.py", bound=True),
    high=dict(title="High", config="c.py"),
    never=dict(title="Never run", config="d.py"),
)
"""
SCORES = {
    ("low", 0): {"mIoU": 40.0, "cloudy/mIoU": 30.0, "calibration/ECE": 5.0},
    ("low", 1): {"mIoU": 42.0, "cloudy/mIoU": 32.0, "calibration/ECE": 7.0},
    ("low", 2): {"mIoU": 44.0, "cloudy/mIoU": None, "calibration/ECE": 9.0},
    ("high", 0): {
        "mIoU": 41.0,
        "cloudy/mIoU": 35.5,
        "calibration/ECE": 11.0,
        "cover_0-20/mIoU": 50.0,
        "cover_20-40/mIoU": None,
        "cover_80-100/mIoU": 20.0,
        "cloudy/IoU/forest": 60.0,
    },
    ("oracle", 1): {"mIoU": 90.0, "cloudy/mIoU": 80.0},
}
COSTS = {
    "low": dict(parameters_m=3.7151, gflops=0.666, milliseconds=28.31, peak_mb=63.4),
    "high": dict(parameters_m=16.38, gflops=2.954, milliseconds=79.0, peak_mb=130.1),
}


@pytest.fixture
def trial(write_suite):
    return load_suite(write_suite(SUITE))


@pytest.fixture
def results(trial, tmp_path, leave_run):
    for (method, seed), scores in SCORES.items():
        hits = dict(low=0.6, high=0.7, oracle=0.9)[method]
        leave_run(tmp_path / f"seed_{seed}" / method, scores, hits)
    robustness = tmp_path / "seed_0/high/robustness/robustness.json"
    robustness.parent.mkdir()
    missing = dict(optical=dict(mIoU=12.5), sar=dict(mIoU=30.0))
    robustness.write_text(json.dumps(dict(points=[], missing=missing, auc=dict(thick=33.0))))
    found = gather(plan_runs(trial, tmp_path, {}))
    return [dataclasses.replace(one, cost=COSTS.get(one.method.key, {})) for one in found]


def row(text: str, table: str, title: str) -> list[str]:
    section = text.split(f"## {table}\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines()]
    return next(cells[1:] for cells in rows if cells and cells[0] == title)


def test_best_under_clouds_first_and_bounds_last(results):
    assert [result.method.key for result in results] == ["high", "low", "oracle"]
    low = results[1]
    assert (low.mean("mIoU"), low.std("mIoU")) == (42.0, 2.0)
    assert low.values("cloudy/mIoU") == [30.0, 32.0]
    assert math.isnan(results[0].std("mIoU")) and math.isnan(low.mean("cloudy/aAcc"))
    assert results[0].values("robustness/missing/optical/mIoU") == [12.5]


def test_markdown(trial, results, tmp_path):
    write_leaderboard(tmp_path, trial, results, ["Not in these tables: x."])
    text = (tmp_path / "leaderboard.md").read_text()
    assert text.startswith(
        "# A trial\n\nThis page compares 3 methods on the mini set, with 1 to 3"
    )
    assert "**Not in these tables: x.**" in text
    assert row(text, "Scores", "") == ["mIoU cloudy", "mIoU all"]  # no column without values
    assert row(text, "Scores", "Low") == ["31.00 ± 1.41", "**42.00 ± 2.00**"]
    assert row(text, "Scores", "High") == ["**35.50**", "41.00"]
    assert row(text, "Scores", "Oracle") == ["80.00", "90.00"]  # shown, never best
    assert row(text, "Calibration (lower is better)", "Low") == ["**7.00 ± 2.00**"]
    assert row(text, "mIoU by cloud cover of the scene", "High") == ["50.00", "20.00"]
    assert row(text, "mIoU by cloud cover of the scene", "") == ["0 to 20 %", "80 to 100 %"]
    missing = "With a modality missing, and over simulated cover"
    assert row(text, missing, "High") == ["12.50", "30.00", "33.00"]
    assert row(text, missing, "Low") == ["-", "-", "-"]
    assert row(text, "Cost", "Low") == ["**3.72**", "**0.67**", "**28.3**", "**63**"]
    assert row(text, "Cost", "Oracle") == ["-"] * 4
    assert "PSNR" not in text and "Never run" not in text


def test_a_column_of_the_suite_replaces_that_of_the_same_title(trial, results, tmp_path):
    suite = dataclasses.replace(trial, metrics={"mIoU all": "calibration/ECE"})
    write_leaderboard(tmp_path, suite, results)
    text = (tmp_path / "leaderboard.md").read_text()
    assert row(text, "Scores", "") == ["mIoU cloudy", "mIoU all"]
    assert row(text, "Scores", "Low")[1] == "7.00 ± 2.00"


def test_csv_reads_back(trial, results, tmp_path):
    write_leaderboard(tmp_path, trial, results)
    with (tmp_path / "leaderboard.csv").open(newline="") as file:
        rows = {line["method"]: line for line in csv.DictReader(file)}
    assert list(rows) == ["high", "low", "oracle"]
    low = rows["low"]
    assert (low["title"], low["seeds"]) == ("Low", "0 1 2")
    assert float(low["mIoU cloudy mean"]) == 31
    assert float(low["mIoU cloudy std"]) == pytest.approx(math.sqrt(2), abs=1e-5)
    assert rows["high"]["mIoU all std"] == "" and rows["oracle"]["ECE mean"] == ""
    assert float(low["parameters (M)"]) == 3.7151 and rows["oracle"]["GFLOPs"] == ""


def test_differences_from_the_best_and_the_reference(results, tmp_path):
    assert write_differences(tmp_path, results, "low") == []
    text = (tmp_path / "differences.md").read_text()
    # Two balanced classes: IoU = h / (2 - h); all areas alike, so the interval is a point.
    high, low = (100 * h / (2 - h) for h in (0.7, 0.6))
    table = "mIoU on cloudy pixels, less High (the best)"
    assert row(text, table, "Low")[:2] == [
        f"**{low - high:+.2f}**",
        f"{low - high:+.2f} to {low - high:+.2f}",
    ]
    table = "mIoU on all pixels, less Low (the reference)"
    assert row(text, table, "High")[0] == f"**{high - low:+.2f}**"
    assert "24 areas" in text and "too narrow" not in text


def test_differences_of_other_samples(results, tmp_path, trial):
    import numpy as np

    path = tmp_path / "seed_0/high/test/confusion.npz"
    arrays = dict(np.load(path))
    np.savez(path, **{**arrays, "names": np.char.add(arrays["names"], "x")})
    (note,) = write_differences(tmp_path, results)
    assert "samples" in note and "same list" in note
    assert note in (tmp_path / "differences.md").read_text()


def test_report(trial, results, tmp_path):
    write_report(tmp_path / "report", trial, [], results)
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "report").iterdir()}
    plots = ("score_over_cover", "accuracy_over_cost", "class_bars", "calibration")
    for name in plots:
        assert 5_000 < sizes[f"{name}.png"] < 300_000, name
    assert {"leaderboard.md", "leaderboard.csv", "differences.md", "environment.txt"} <= set(sizes)


def test_a_report_without_cost(trial, results, tmp_path):
    results = [dataclasses.replace(one, cost={}) for one in results]
    write_report(tmp_path / "report", trial, [], results)
    assert not (tmp_path / "report/accuracy_over_cost.png").exists()
    assert "## Cost" not in (tmp_path / "report/leaderboard.md").read_text()


def test_environment(trial, results, tmp_path, monkeypatch):
    record = dict(seconds=dict(train=100.4, test=20.0))
    (tmp_path / "seed_0/high/benchmark.json").write_text(json.dumps(record))
    monkeypatch.setattr("sys.argv", ["tools/benchmark.py", "a suite.py"])
    text = environment_text(plan_runs(trial, tmp_path, {}))
    assert "command: python tools/benchmark.py 'a suite.py'\n" in text
    for part in (
        "date: 20",
        "processor: ",
        "Python: 3.",
        "  torch==",
        "  numpy==",
        "  high, seed 0: 120\n",
        "  all: 120\n",
        "commit: ",
    ):
        assert part in text, part
