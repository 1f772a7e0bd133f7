"""Losses of cloud removal and distillation; land cover uses MMSeg's cross entropy."""

from mmcloudseg.models.losses.cloud_free_feature_loss import (
    CloudFreeFeatureLoss,
    cloud_free_feature_loss,
)
from mmcloudseg.models.losses.cloud_removal_loss import CloudRemovalLoss, cloud_removal_loss

__all__ = [
    "CloudFreeFeatureLoss",
    "CloudRemovalLoss",
    "cloud_free_feature_loss",
    "cloud_removal_loss",
]
