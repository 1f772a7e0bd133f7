"""Distillation from a teacher that sees the cloud-free image."""

from mmcloudseg.models.distillation.cloud_free_teacher import CloudFreeTeacherDistill

__all__ = ["CloudFreeTeacherDistill"]
