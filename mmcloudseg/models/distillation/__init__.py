"""Distillation from a teacher that sees the cloud-free image.

``CloudFreeTeacherDistill`` is imported, and MMRazor with it, only when it is asked for: by
building a config that names it, or by ``from mmcloudseg.models.distillation import ...``.
"""

from __future__ import annotations

from typing import Any

from mmseg.registry import MODELS

from mmcloudseg.models.distillation.configs import follow_student

__all__ = ["follow_student"]

_LAZY = "CloudFreeTeacherDistill"


def __getattr__(name: str) -> Any:
    if name != _LAZY:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from mmcloudseg.models.distillation.cloud_free_teacher import CloudFreeTeacherDistill

    return CloudFreeTeacherDistill


@MODELS.register_module(name=_LAZY)
def build_cloud_free_teacher_distill(**settings: Any) -> Any:
    """Build a ``CloudFreeTeacherDistill``; the registry calls this in place of the class."""
    return __getattr__(_LAZY)(**settings)
