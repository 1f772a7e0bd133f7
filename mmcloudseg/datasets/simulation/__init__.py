"""Procedural scenes: places, what two sensors see of them, and clouds.

The generators work at any size, pixel size and set of bands, and need neither torch nor MMSeg.
"""

from mmcloudseg.datasets.simulation.cloud_kinds import CLOUD_KINDS, KIND_ODDS, CloudKind
from mmcloudseg.datasets.simulation.cloud_rendering import add_clouds, cloud_reflectance
from mmcloudseg.datasets.simulation.clouds import (
    MASK_THRESHOLD,
    OPACITY_STEPS,
    Clouds,
    draw_clouds,
)
from mmcloudseg.datasets.simulation.landscape import (
    CLASS_CODES,
    Landscape,
    aggregate_cover,
    draw_landscape,
    draw_shares,
)
from mmcloudseg.datasets.simulation.luojia_layout import write_mini_luojia
from mmcloudseg.datasets.simulation.m3mcr_layout import (
    MARKER,
    write_mini_m3mcr,
    write_sample,
)
from mmcloudseg.datasets.simulation.materials import Material, draw_materials
from mmcloudseg.datasets.simulation.mini_layout import MiniLayout, write_geotiff
from mmcloudseg.datasets.simulation.mini_luojia import (
    LUOJIA_BINS,
    SENTINEL2_UM,
    CloudyView,
    LuojiaPatch,
    draw_luojia_patch,
)
from mmcloudseg.datasets.simulation.mini_m3mcr import SPLITS, Sample, cloud_cover, draw_sample
from mmcloudseg.datasets.simulation.mini_whu import (
    GF1_UM,
    WHU_CODES,
    WHU_GSD_M,
    WHU_SPLITS,
    WHUScene,
    draw_whu_scene,
)
from mmcloudseg.datasets.simulation.noise import area_mean, area_weights, fractal_noise
from mmcloudseg.datasets.simulation.octaves import octave_noise
from mmcloudseg.datasets.simulation.sar import render_backscatter, speckle
from mmcloudseg.datasets.simulation.simulated_clouds import SimulatedClouds, simulate_clouds
from mmcloudseg.datasets.simulation.spectra import (
    PLANETSCOPE_UM,
    material_reflectance,
    render_reflectance,
)
from mmcloudseg.datasets.simulation.whu_layout import write_mini_whu

__all__ = [
    "CLASS_CODES",
    "CLOUD_KINDS",
    "GF1_UM",
    "KIND_ODDS",
    "LUOJIA_BINS",
    "MARKER",
    "MASK_THRESHOLD",
    "OPACITY_STEPS",
    "PLANETSCOPE_UM",
    "SENTINEL2_UM",
    "SPLITS",
    "WHU_CODES",
    "WHU_GSD_M",
    "WHU_SPLITS",
    "CloudKind",
    "Clouds",
    "CloudyView",
    "Landscape",
    "LuojiaPatch",
    "Material",
    "MiniLayout",
    "Sample",
    "SimulatedClouds",
    "WHUScene",
    "add_clouds",
    "aggregate_cover",
    "area_mean",
    "area_weights",
    "cloud_cover",
    "cloud_reflectance",
    "draw_clouds",
    "draw_landscape",
    "draw_luojia_patch",
    "draw_materials",
    "draw_sample",
    "draw_shares",
    "draw_whu_scene",
    "fractal_noise",
    "material_reflectance",
    "octave_noise",
    "render_backscatter",
    "render_reflectance",
    "simulate_clouds",
    "speckle",
    "write_geotiff",
    "write_mini_luojia",
    "write_mini_m3mcr",
    "write_mini_whu",
    "write_sample",
]
