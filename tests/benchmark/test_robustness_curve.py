"""What sums up scores over cloud cover."""

import csv
import io
import json
import math

import numpy as np
import pytest

from mmcloudseg.benchmark.robustness_curve import RobustnessCurve, area_under_curve


def scores(miou):
    return dict(mIoU=miou, aAcc=80.0, mFscore=70.0)


@pytest.fixture
def curve():
    return RobustnessCurve(
        clouds={"thick": {0: scores(60.0), 20: scores(50.0), 100: scores(10.0)}},
        missing=dict(sar=scores(45.0)),
        own_clouds=scores(55.0),
    )


def test_area_under_known_curves(monkeypatch):
    # NumPy 1.26, the oldest that is supported, has no trapezoid.
    monkeypatch.delattr(np, "trapezoid", raising=False)
    assert area_under_curve([0, 50, 100], [60, 40, 20]) == 40
    # Trapezoids over uneven steps: (20 * 55 + 80 * 30) / 100.
    assert area_under_curve([0, 20, 100], [60, 50, 10]) == 35
    assert area_under_curve([20, 40], [30, 50]) == 40
    assert area_under_curve(range(11), [7.0] * 11) == 7
    assert math.isnan(area_under_curve([50], [30]))


def test_json_has_the_agreed_layout(curve):
    curve.clouds["thin"] = {50: dict(scores(40.0), mFscore=math.nan)}
    content = json.loads(json.dumps(curve.to_json(), allow_nan=False))
    assert content["points"][1] == dict(kind="thick", cover=20, mIoU=50, aAcc=80, mFscore=70)
    assert content["points"][-1]["mFscore"] is None
    assert content["missing"] == dict(sar=scores(45.0))
    assert content["auc"] == dict(thick=35.0, thin=None)
    assert content["own_clouds"]["mIoU"] == 55


def test_csv_has_a_line_for_each_measurement(curve):
    rows = list(csv.DictReader(io.StringIO(curve.to_csv())))
    assert [(r["clouds"], r["cover_percent"], float(r["mIoU"])) for r in rows] == [
        ("thick", "0", 60),
        ("thick", "20", 50),
        ("thick", "100", 10),
        ("own clouds", "", 55),
        ("SAR missing", "", 45),
    ]


def test_tables_for_people(curve):
    lines = curve.to_markdown().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line]
    assert ["cover (%)", "mIoU, thick (%)"] in rows
    assert ["20", "50.00"] in rows and ["area under the curve", "35.00"] in rows
    assert ["under the dataset's own clouds", "mIoU (%)", "OA (%)", "F1 (%)"] in rows
    assert ["nothing missing", "55.00", "80.00", "70.00"] in rows
    assert ["SAR missing", "45.00", "80.00", "70.00"] in rows
