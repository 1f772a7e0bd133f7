"""Metrics for MMEngine's evaluator, registered with MMSegmentation."""

from mmcloudseg.evaluation.metrics.calibration import CalibrationMetric
from mmcloudseg.evaluation.metrics.cloud_iou import CloudIoUMetric
from mmcloudseg.evaluation.metrics.cloud_removal import CloudRemovalMetric

__all__ = ["CalibrationMetric", "CloudIoUMetric", "CloudRemovalMetric"]
