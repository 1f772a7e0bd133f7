"""Converters of published data sets into folders that a data loader reads quickly."""

from mmcloudseg.datasets.conversion.settings import ConversionSettings
from mmcloudseg.datasets.conversion.whu_convert import Conversion, check, convert

__all__ = ["Conversion", "ConversionSettings", "check", "convert"]
