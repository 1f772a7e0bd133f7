"""Backbones made of streams of one MMSeg backbone, driven stage by stage."""

from mmcloudseg.models.backbones import (  # noqa: F401  (they register their adapters)
    convolutional_stages,
    transformer_stages,
)
from mmcloudseg.models.backbones.asanet import ASANetBackbone
from mmcloudseg.models.backbones.cmx import CMXBackbone
from mmcloudseg.models.backbones.cross_modal import CrossModalBackbone
from mmcloudseg.models.backbones.named_streams import NAMED_STREAMS, stream_config
from mmcloudseg.models.backbones.single_stream import SingleStreamBackbone
from mmcloudseg.models.backbones.stages import StageAdapter, register_stages, stages_of

__all__ = [
    "NAMED_STREAMS",
    "ASANetBackbone",
    "CMXBackbone",
    "CrossModalBackbone",
    "SingleStreamBackbone",
    "StageAdapter",
    "register_stages",
    "stages_of",
    "stream_config",
]
