"""Datasets of paired optical and SAR images, and their transforms."""

from .errors import DataError
from .m3mcr import M3MCRDataset
from .optical_sar import OpticalSARDataset
from .transforms import AlignedCenterCrop, AlignedRandomCrop, LoadRasters, PackCloudSegInputs

__all__ = [
    "AlignedCenterCrop",
    "AlignedRandomCrop",
    "DataError",
    "LoadRasters",
    "M3MCRDataset",
    "OpticalSARDataset",
    "PackCloudSegInputs",
]
