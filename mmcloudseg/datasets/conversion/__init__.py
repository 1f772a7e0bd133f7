"""Converters of published data sets into folders that a data loader reads quickly."""

from mmcloudseg.datasets.conversion.whu_convert import (
    Conversion,
    ConversionSettings,
    check,
    convert,
)

__all__ = ["Conversion", "ConversionSettings", "check", "convert"]
