"""Hooks, layer-wise learning rates, configs as the tools change them, checkpoints."""

from mmcloudseg.engine.hooks import LabelMapHook
from mmcloudseg.engine.layer_decay import LearningRateDecayOptimizerConstructor

__all__ = ["LabelMapHook", "LearningRateDecayOptimizerConstructor"]
