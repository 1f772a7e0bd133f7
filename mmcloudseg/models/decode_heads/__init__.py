"""Heads for land cover and cloud removal."""

from mmcloudseg.models.decode_heads.cloud_removal_head import CloudRemovalHead
from mmcloudseg.models.decode_heads.unet_decoder import UNetDecoder
from mmcloudseg.models.decode_heads.unet_head import UNetDecodeHead

__all__ = ["CloudRemovalHead", "UNetDecodeHead", "UNetDecoder"]
