"""Hooks for MMEngine's runner."""

from mmcloudseg.engine.hooks.checkpoint_hook import WholeCheckpointHook
from mmcloudseg.engine.hooks.label_map_hook import LabelMapHook
from mmcloudseg.engine.hooks.visualization_hook import CloudSegVisualizationHook

__all__ = ["CloudSegVisualizationHook", "LabelMapHook", "WholeCheckpointHook"]
