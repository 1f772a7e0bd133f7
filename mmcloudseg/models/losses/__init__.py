"""Losses of cloud removal and distillation, and MMSegmentation's land-cover losses, mended."""

from mmcloudseg.models.losses.cloud_free_feature_loss import (
    CloudFreeFeatureLoss,
    cloud_free_feature_loss,
)
from mmcloudseg.models.losses.cloud_removal_loss import CloudRemovalLoss, cloud_removal_loss
from mmcloudseg.models.losses.land_cover import LandCoverLoss

__all__ = [
    "CloudFreeFeatureLoss",
    "CloudRemovalLoss",
    "LandCoverLoss",
    "cloud_free_feature_loss",
    "cloud_removal_loss",
]
