"""The score table and the score file."""

import json
import math
import pathlib

import pytest

from mmcloudseg.evaluation import format_scores, scores_to_json

METRICS = {
    "aAcc": 71.234,
    "mAcc": 60.0,
    "fwIoU": 55.0,
    "mIoU": 50.126,
    "mFscore": 65.0,
    "IoU/water": 40.0,
    "IoU/land": math.nan,
    "cloud_free/mIoU": 58.0,
    "cloud_free/IoU/water": 44.0,
    "cloud_free/aAcc": 80.0,
    "cloudy/mIoU": math.nan,
    "cloudy/IoU/water": 33.3,
    "cover_0-20/mIoU": 57.0,
    "cover_0-20/aAcc": 81.0,
    "cover_80-100/mIoU": math.nan,
    "calibration/ECE": 7.125,
    "calibration/cloudy/ECE": math.nan,
    "calibration/cloud_free/AURC": 3.5,
    "calibration/confidence": 80.0,
    "cloud_removal/MAE": 0.01234,
    "cloud_removal/cloudy/MAE": 0.05,
    "cloud_removal/PSNR": 31.456,
    "cloud_removal/cloud_free/MAE": 0.001,
    "cloud_removal/spectral_angle_deg": 2.5,
}


def rows(table):
    lines = [line for line in table.splitlines() if not set(line) <= set("|:- ")]
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines]
    return {c[0]: c[1:] for c in cells}


def test_table():
    table = rows(format_scores(METRICS, ("water", "land")))
    assert table[""] == ["all", "cloud-free", "cloudy"]
    assert table["OA (%)"] == ["71.23", "80.00", "-"]
    assert table["mIoU (%)"] == ["50.13", "58.00", "-"]
    assert table["IoU water (%)"] == ["40.00", "44.00", "33.30"]
    assert table["IoU land (%)"] == ["-", "-", "-"]
    assert table["mIoU cover 0-20 %"][0] == "57.00"
    assert table["mIoU cover 80-100 %"] == ["-", "-", "-"]
    assert table["ECE (%)"] == ["7.12", "-", "-"]
    assert table["AURC (%)"] == ["-", "3.50", "-"]
    assert table["mean confidence (%)"] == ["80.00", "-", "-"]
    assert table["MAE"] == ["0.0123", "0.0010", "0.0500"]
    assert table["PSNR (dB)"] == ["31.46", "-", "-"]
    assert table["spectral angle (degrees)"][0] == "2.50"
    assert "SSIM" not in table
    assert list(table)[1] == "OA (%)" and list(table)[-1] == "spectral angle (degrees)"


def test_columns_follow_what_there_is():
    table = rows(format_scores({"mIoU": 50.0, "aAcc": 70.0}, ("water",)))
    assert table == {"": ["all"], "OA (%)": ["70.00"], "mIoU (%)": ["50.00"]}


def test_json_is_whole_and_without_nan(tmp_path):
    path = tmp_path / "new" / "scores.json"
    scores_to_json({"a": 1 / 3, "b": math.nan, "c": math.inf}, path)
    scores_to_json({"a": 1 / 3, "b": math.nan, "c": math.inf}, path)
    assert json.loads(path.read_text()) == {"a": 1 / 3, "b": None, "c": None}
    assert [p.name for p in path.parent.iterdir()] == ["scores.json"]


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "scores.json"
    scores_to_json({"a": 1.0}, path)

    def half_written(file, text, **_):
        file.write_bytes(text[:5].encode())
        raise OSError("disk full")

    monkeypatch.setattr(pathlib.Path, "write_text", half_written)
    with pytest.raises(OSError, match="disk full"):
        scores_to_json({"a": 2.0}, path)
    assert json.loads(path.read_text()) == {"a": 1.0}
    assert [p.name for p in tmp_path.iterdir()] == ["scores.json"]


def test_calibration_alone():
    table = rows(format_scores({"calibration/ECE": 5.0, "calibration/cloudy/ECE": 6.0}, ("a",)))
    assert table == {"": ["all", "cloudy"], "ECE (%)": ["5.00", "6.00"]}


def test_cloud_removal_alone():
    table = rows(format_scores({"cloud_removal/MAE": 0.5}, ("water",)))
    assert table == {"": ["all"], "MAE": ["0.5000"]}
