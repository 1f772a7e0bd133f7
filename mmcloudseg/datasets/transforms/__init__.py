"""Transforms for optical and SAR samples."""

from .aligned_crop import AlignedCenterCrop, AlignedRandomCrop
from .formatting import PackCloudSegInputs, cloud_cover
from .loading import LoadRasters
from .modality_dropout import DropModality, RandomModalityDropout
from .simulate_clouds import SimulateClouds

__all__ = [
    "AlignedCenterCrop",
    "AlignedRandomCrop",
    "DropModality",
    "LoadRasters",
    "PackCloudSegInputs",
    "RandomModalityDropout",
    "SimulateClouds",
    "cloud_cover",
]
