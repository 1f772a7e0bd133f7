"""Segmentors."""

from mmcloudseg.models.segmentors.cloudseg import CloudSeg
from mmcloudseg.models.segmentors.tta import CloudSegTTAModel
from mmcloudseg.models.segmentors.two_step import TwoStep

__all__ = ["CloudSeg", "CloudSegTTAModel", "TwoStep"]
