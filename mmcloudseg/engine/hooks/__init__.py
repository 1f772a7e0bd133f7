"""Hooks for MMEngine's runner."""

from mmcloudseg.engine.hooks.checkpoint_hook import WholeCheckpointHook
from mmcloudseg.engine.hooks.label_map_hook import LabelMapHook

__all__ = ["LabelMapHook", "WholeCheckpointHook"]
