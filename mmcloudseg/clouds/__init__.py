"""Simulated clouds for any optical image; imports neither torch nor MMSegmentation."""

from mmcloudseg.clouds.cover import cloud_cover
from mmcloudseg.clouds.drawing import draw_clouds
from mmcloudseg.clouds.kinds import CLOUD_KINDS, KIND_ODDS, CloudKind
from mmcloudseg.clouds.layers import OPACITY_STEPS, Clouds
from mmcloudseg.clouds.octaves import octave_noise
from mmcloudseg.clouds.rendering import add_clouds, cloud_reflectance
from mmcloudseg.clouds.simulation import CloudSettings, SimulatedClouds, simulate_clouds

__all__ = [
    "CLOUD_KINDS",
    "KIND_ODDS",
    "OPACITY_STEPS",
    "CloudKind",
    "CloudSettings",
    "Clouds",
    "SimulatedClouds",
    "add_clouds",
    "cloud_cover",
    "cloud_reflectance",
    "draw_clouds",
    "octave_noise",
    "simulate_clouds",
]
