"""What runs beside the model."""

from mmcloudseg.engine.hooks import CloudSegVisualizationHook

__all__ = ["CloudSegVisualizationHook"]
