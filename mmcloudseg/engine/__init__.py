"""Hooks, configs as the tools change them, checkpoints."""

from mmcloudseg.engine.hooks import LabelMapHook

__all__ = ["LabelMapHook"]
