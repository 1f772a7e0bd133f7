"""Networks: backbones, heads, losses, segmentors, distillation and the data preprocessor.

``CloudFreeTeacherDistill`` is in :mod:`mmcloudseg.models.distillation`, which imports MMRazor only
when it is asked for.
"""

from mmcloudseg.models import distillation
from mmcloudseg.models.backbones import CrossModalBackbone
from mmcloudseg.models.data_preprocessor import CloudSegDataPreprocessor
from mmcloudseg.models.decode_heads import CloudRemovalHead, UNetDecodeHead
from mmcloudseg.models.losses import CloudFreeFeatureLoss, CloudRemovalLoss, LandCoverLoss
from mmcloudseg.models.segmentors import CloudSeg, CloudSegTTAModel, TwoStep

__all__ = [
    "CloudFreeFeatureLoss",
    "CloudRemovalHead",
    "CloudRemovalLoss",
    "CloudSeg",
    "CloudSegDataPreprocessor",
    "CloudSegTTAModel",
    "CrossModalBackbone",
    "LandCoverLoss",
    "TwoStep",
    "UNetDecodeHead",
    "distillation",
]
