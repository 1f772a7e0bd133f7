"""Imports what registers itself, at the first look-up in MMSegmentation's registries."""

from mmcloudseg import datasets, engine, evaluation, models, visualization

__all__ = ["datasets", "engine", "evaluation", "models", "visualization"]
