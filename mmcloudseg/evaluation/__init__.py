"""Scores of land cover, cloud removal and calibration."""

from mmcloudseg.evaluation.confusion import scores_from_confusion
from mmcloudseg.evaluation.evaluator import CloudSegEvaluator
from mmcloudseg.evaluation.metrics import CalibrationMetric, CloudIoUMetric, CloudRemovalMetric
from mmcloudseg.evaluation.report import format_scores, scores_to_json

__all__ = [
    "CalibrationMetric",
    "CloudIoUMetric",
    "CloudRemovalMetric",
    "CloudSegEvaluator",
    "format_scores",
    "scores_from_confusion",
    "scores_to_json",
]
