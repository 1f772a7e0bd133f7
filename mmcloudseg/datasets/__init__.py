"""Datasets of paired optical and SAR images, and their transforms."""

from .errors import DataError
from .luojia_osfcr import LuojiaOSFCRDataset
from .m3mcr import M3MCRDataset
from .optical_sar import OpticalSARDataset
from .transforms import (
    AlignedCenterCrop,
    AlignedRandomCrop,
    LoadRasters,
    PackCloudSegInputs,
    SimulateClouds,
)
from .whu_opt_sar import WHUOptSARDataset

__all__ = [
    "AlignedCenterCrop",
    "AlignedRandomCrop",
    "DataError",
    "LoadRasters",
    "LuojiaOSFCRDataset",
    "M3MCRDataset",
    "OpticalSARDataset",
    "PackCloudSegInputs",
    "SimulateClouds",
    "WHUOptSARDataset",
]
