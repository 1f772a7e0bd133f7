"""Transforms for optical and SAR samples."""

from mmcloudseg.datasets.transforms.aligned_crop import AlignedCenterCrop, AlignedRandomCrop
from mmcloudseg.datasets.transforms.arrays import LoadImageFromNDArray
from mmcloudseg.datasets.transforms.formatting import PackCloudSegInputs
from mmcloudseg.datasets.transforms.geometric import Geometric, PadNoData
from mmcloudseg.datasets.transforms.loading import LoadRasters
from mmcloudseg.datasets.transforms.modality_dropout import DropModality, RandomModalityDropout
from mmcloudseg.datasets.transforms.radiometric import GaussianNoise, OpticalJitter, SARSpeckle
from mmcloudseg.datasets.transforms.random_erase import RandomErase
from mmcloudseg.datasets.transforms.simulate_clouds import SimulateClouds

__all__ = [
    "AlignedCenterCrop", "AlignedRandomCrop", "DropModality", "GaussianNoise", "Geometric",
    "LoadImageFromNDArray", "LoadRasters", "OpticalJitter", "PackCloudSegInputs", "PadNoData",
    "RandomErase", "RandomModalityDropout", "SARSpeckle", "SimulateClouds",
]  # fmt: skip
