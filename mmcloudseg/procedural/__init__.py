"""Procedural landscapes, how optical and SAR sensors see them, and the miniature data sets."""

from mmcloudseg.procedural.landscape import (
    CLASS_CODES,
    aggregate_cover,
    draw_landscape,
    draw_shares,
)
from mmcloudseg.procedural.luojia_layout import write_mini_luojia
from mmcloudseg.procedural.m3mcr_layout import MARKER, write_mini_m3mcr
from mmcloudseg.procedural.materials import Material, draw_materials
from mmcloudseg.procedural.mini_layout import MiniLayout
from mmcloudseg.procedural.mini_luojia import LUOJIA_BINS, draw_luojia_patch
from mmcloudseg.procedural.mini_m3mcr import cloud_cover, draw_sample
from mmcloudseg.procedural.mini_whu import WHU_CODES, draw_whu_scene
from mmcloudseg.procedural.noise import area_mean, area_weights, fractal_noise
from mmcloudseg.procedural.sar import render_backscatter, speckle
from mmcloudseg.procedural.spectra import material_reflectance, render_reflectance
from mmcloudseg.procedural.whu_layout import write_mini_whu

__all__ = [
    "CLASS_CODES",
    "LUOJIA_BINS",
    "MARKER",
    "WHU_CODES",
    "Material",
    "MiniLayout",
    "aggregate_cover",
    "area_mean",
    "area_weights",
    "cloud_cover",
    "draw_landscape",
    "draw_luojia_patch",
    "draw_materials",
    "draw_sample",
    "draw_shares",
    "draw_whu_scene",
    "fractal_noise",
    "material_reflectance",
    "render_backscatter",
    "render_reflectance",
    "speckle",
    "write_mini_luojia",
    "write_mini_m3mcr",
    "write_mini_whu",
]
