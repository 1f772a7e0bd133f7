"""Procedural scenes: places, what two sensors see of them, and clouds.

The generators work at any size, pixel size and set of bands, and need neither torch nor MMSeg.
"""

from mmcloudseg.datasets.simulation.clouds import (
    CLOUD_KINDS,
    MASK_THRESHOLD,
    CloudKind,
    Clouds,
    add_clouds,
    draw_clouds,
)
from mmcloudseg.datasets.simulation.landscape import (
    CLASS_CODES,
    Landscape,
    aggregate_cover,
    draw_landscape,
    draw_shares,
)
from mmcloudseg.datasets.simulation.m3mcr_layout import (
    MARKER,
    check_target,
    write_mini_m3mcr,
    write_sample,
)
from mmcloudseg.datasets.simulation.materials import Material, draw_materials
from mmcloudseg.datasets.simulation.mini_m3mcr import SPLITS, Sample, cloud_cover, draw_sample
from mmcloudseg.datasets.simulation.noise import area_mean, area_weights, fractal_noise
from mmcloudseg.datasets.simulation.sar import render_backscatter, speckle
from mmcloudseg.datasets.simulation.spectra import (
    PLANETSCOPE_UM,
    material_reflectance,
    render_reflectance,
)

__all__ = [
    "CLASS_CODES",
    "CLOUD_KINDS",
    "MARKER",
    "MASK_THRESHOLD",
    "PLANETSCOPE_UM",
    "SPLITS",
    "CloudKind",
    "Clouds",
    "Landscape",
    "Material",
    "Sample",
    "add_clouds",
    "aggregate_cover",
    "area_mean",
    "area_weights",
    "check_target",
    "cloud_cover",
    "draw_clouds",
    "draw_landscape",
    "draw_materials",
    "draw_sample",
    "draw_shares",
    "fractal_noise",
    "material_reflectance",
    "render_backscatter",
    "render_reflectance",
    "speckle",
    "write_mini_m3mcr",
    "write_sample",
]
