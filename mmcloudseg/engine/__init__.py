"""Hooks, configs as the tools change them, checkpoints."""

from mmcloudseg.engine.hooks import LabelMapHook, WholeCheckpointHook

__all__ = ["LabelMapHook", "WholeCheckpointHook"]
