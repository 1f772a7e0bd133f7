"""Datasets of paired optical and SAR images, and their transforms."""

from mmcloudseg.datasets.joined import ConcatDataset, RepeatDataset
from mmcloudseg.datasets.luojia_osfcr import LuojiaOSFCRDataset
from mmcloudseg.datasets.m3mcr import M3MCRDataset
from mmcloudseg.datasets.optical_sar import OpticalSARDataset
from mmcloudseg.datasets.transforms import (
    AlignedCenterCrop,
    AlignedRandomCrop,
    LoadRasters,
    PackCloudSegInputs,
    SimulateClouds,
)
from mmcloudseg.datasets.whu_opt_sar import WHUOptSARDataset

__all__ = [
    "AlignedCenterCrop", "AlignedRandomCrop", "ConcatDataset", "LoadRasters", "LuojiaOSFCRDataset",
    "M3MCRDataset", "OpticalSARDataset", "PackCloudSegInputs", "RepeatDataset", "SimulateClouds",
    "WHUOptSARDataset",
]  # fmt: skip
