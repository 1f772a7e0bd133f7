"""Hooks for MMEngine's runner."""

from mmcloudseg.engine.hooks.visualization_hook import CloudSegVisualizationHook

__all__ = ["CloudSegVisualizationHook"]
