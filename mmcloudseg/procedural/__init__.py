"""Procedural landscapes, how optical and SAR sensors see them, and the miniature data sets."""

from mmcloudseg.procedural.luojia_layout import write_mini_luojia
from mmcloudseg.procedural.m3mcr_layout import write_mini_m3mcr
from mmcloudseg.procedural.mini_m3mcr import draw_sample
from mmcloudseg.procedural.noise import fractal_noise
from mmcloudseg.procedural.whu_layout import write_mini_whu

__all__ = [
    "draw_sample",
    "fractal_noise",
    "write_mini_luojia",
    "write_mini_m3mcr",
    "write_mini_whu",
]
