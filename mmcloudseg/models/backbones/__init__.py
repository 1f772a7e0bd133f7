"""Three streams of one backbone, driven stage by stage, and the fusion between them."""

from mmcloudseg.models.backbones.cross_modal import CrossModalBackbone
from mmcloudseg.models.backbones.fusion import FusionBlock
from mmcloudseg.models.backbones.stages import StageAdapter, register_stages, stages_of

__all__ = ["CrossModalBackbone", "FusionBlock", "StageAdapter", "register_stages", "stages_of"]
