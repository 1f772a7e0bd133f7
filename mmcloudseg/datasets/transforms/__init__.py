"""Transforms for optical and SAR samples."""

from mmcloudseg.datasets.transforms.aligned_crop import AlignedCenterCrop, AlignedRandomCrop
from mmcloudseg.datasets.transforms.formatting import PackCloudSegInputs
from mmcloudseg.datasets.transforms.loading import LoadRasters
from mmcloudseg.datasets.transforms.modality_dropout import DropModality, RandomModalityDropout
from mmcloudseg.datasets.transforms.simulate_clouds import SimulateClouds

__all__ = [
    "AlignedCenterCrop", "AlignedRandomCrop", "DropModality", "LoadRasters", "PackCloudSegInputs",
    "RandomModalityDropout", "SimulateClouds",
]  # fmt: skip
