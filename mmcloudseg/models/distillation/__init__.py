"""Distillation from a teacher that sees the cloud-free image.

``CloudFreeTeacherDistill`` is imported, and MMRazor with it, only when it is asked for: by a
config that is built, or by name from this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmseg.registry import MODELS

from mmcloudseg.models.distillation.configs import follow_student

if TYPE_CHECKING:
    from mmcloudseg.models.distillation.cloud_free_teacher import CloudFreeTeacherDistill

__all__ = ["CloudFreeTeacherDistill", "follow_student"]


def __getattr__(name: str) -> Any:
    if name != "CloudFreeTeacherDistill":
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from mmcloudseg.models.distillation.cloud_free_teacher import CloudFreeTeacherDistill

    return CloudFreeTeacherDistill


@MODELS.register_module(name="CloudFreeTeacherDistill")
def _build(**settings: Any) -> CloudFreeTeacherDistill:
    from mmcloudseg.models.distillation.cloud_free_teacher import CloudFreeTeacherDistill

    return CloudFreeTeacherDistill(**settings)
