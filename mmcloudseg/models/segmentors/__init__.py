"""Segmentors."""

from mmcloudseg.models.segmentors.cloudseg import CloudSeg

__all__ = ["CloudSeg"]
