"""The evaluator that MMSegmentation's ``test.py --out`` writes its settings into."""

from __future__ import annotations

from mmseg.registry import EVALUATOR

METRICS = [
    dict(type="CalibrationMetric"),
    dict(type="CloudIoUMetric", cover_edges=()),
    dict(type="IoUMetric"),
]


def build(**settings):
    return EVALUATOR.build(dict(type="CloudSegEvaluator", metrics=METRICS, **settings))


def test_predictions_go_where_the_tool_says(tmp_path):
    calibration, cloud_iou, iou = build(output_dir=str(tmp_path / "o"), keep_results=True).metrics
    assert cloud_iou.output_dir == str(tmp_path / "o") and cloud_iou.cover_edges == ()
    assert iou.output_dir is None and not hasattr(calibration, "output_dir")
    assert "output_dir" not in METRICS[1]


def test_without_a_folder_nothing_is_written():
    assert [getattr(m, "output_dir", None) for m in build().metrics] == [None] * 3
