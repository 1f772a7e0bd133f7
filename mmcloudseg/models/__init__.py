"""Networks: backbones, heads, losses, segmentors, distillation and the data preprocessor."""

from mmcloudseg.models.backbones import CrossModalBackbone, FusionBlock
from mmcloudseg.models.data_preprocessor import CloudSegDataPreprocessor
from mmcloudseg.models.decode_heads import CloudRemovalHead, UNetDecodeHead
from mmcloudseg.models.distillation import CloudFreeTeacherDistill
from mmcloudseg.models.losses import CloudFreeFeatureLoss, CloudRemovalLoss
from mmcloudseg.models.segmentors import CloudSeg, TwoStep

__all__ = [
    "CloudFreeFeatureLoss",
    "CloudFreeTeacherDistill",
    "CloudRemovalHead",
    "CloudRemovalLoss",
    "CloudSeg",
    "CloudSegDataPreprocessor",
    "CrossModalBackbone",
    "FusionBlock",
    "TwoStep",
    "UNetDecodeHead",
]
