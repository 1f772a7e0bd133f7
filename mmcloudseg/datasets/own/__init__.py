"""Looks at a user's folders and writes the configs that describe them."""

from mmcloudseg.datasets.own.survey import OwnData, Stated, survey
from mmcloudseg.datasets.own.writing import write_configs

__all__ = ["OwnData", "Stated", "survey", "write_configs"]
