"""What runs beside the model."""

from mmcloudseg.engine.hooks import CloudSegVisualizationHook, LabelMapHook

__all__ = ["CloudSegVisualizationHook", "LabelMapHook"]
