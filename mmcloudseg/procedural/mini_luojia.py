"""Patches of the miniature LuojiaSET-OSFCR: procedural places seen by Sentinel-1 and -2."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmcloudseg.clouds.simulation import CloudSettings, simulate_clouds
from mmcloudseg.procedural.landscape import (
    BARREN,
    BUILT,
    CLASS_CODES,
    CROPS,
    FOREST,
    GRASS,
    SHRUB,
    WATER,
    WETLAND,
    draw_landscape,
    draw_shares,
)
from mmcloudseg.procedural.materials import draw_materials
from mmcloudseg.procedural.noise import area_mean, spawn_generators
from mmcloudseg.procedural.sar import render_backscatter
from mmcloudseg.procedural.spectra import draw_gains, render_reflectance, to_counts
from mmcloudseg.rasters.grids import resample
from mmcloudseg.rasters.sensors import SENTINEL2_UM

LUOJIA_BINS = ("0-20%", "20%-40%", "40%-60%", "60%-80%", "80%-100%")
"""Folders of cloud cover, spelled as published."""
LUOJIA_SIZE, LUOJIA_GSD_M = 256, 10
# fmt: off
LAND_COVER_CODES = {
    FOREST: 0, GRASS: 1, SHRUB: 1, CROPS: 2, BUILT: 3, BARREN: 4, WATER: 5, WETLAND: 5
}
# fmt: on

_BAND_GSD_M = (60, 10, 10, 10, 20, 20, 20, 10, 20, 60, 60, 20, 20)
# Water vapour takes half of the ground's light in B09 and nearly all of it in B10.
_VAPOUR = np.array([1.0] * 9 + [0.5, 0.02] + [1.0] * 2)
# Reflectance of the clear sky at 0.443 micrometres; Rayleigh scattering falls with the 4th power.
_SKY = 0.09
_PATCHES_PER_ROW = 8


@dataclass(frozen=True)
class CloudyView:
    """A patch on one cloudy day.

    Attributes:
        cover_bin: Out of ``LUOJIA_BINS``.
        image: 13 x 256 x 256 uint16, reflectance at the top of the atmosphere x 10 000.
        mask: 256 x 256 bool, true = cloud; its share of cloud lies within the bin.
    """

    cover_bin: str
    image: NDArray[np.uint16]
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class LuojiaPatch:
    """One patch, ready to be written; rasters are 256 x 256 pixels.

    Attributes:
        roi: Its region of interest, from ``"01"``.
        number: Number within the region, from 1.
        clear: 13 x 256 x 256 uint16, reflectance at the top of the atmosphere x 10 000.
        views: The same place under clouds, in one or two bins.
        backscatter_db: 2 x 256 x 256 float32 (VV, VH).
        land_cover: 256 x 256 uint8, 0 to 5: forest, grass, crops, built, barren, water.
        epsg: UTM zone.
        origin: Upper left corner (east, north) in metres.
    """

    roi: str
    number: int
    clear: NDArray[np.uint16]
    views: tuple[CloudyView, ...]
    backscatter_db: NDArray[np.float32]
    land_cover: NDArray[np.uint8]
    epsg: int
    origin: tuple[int, int]


def draw_luojia_patch(seed: int, roi: int, patch: int) -> LuojiaPatch:
    """Draw one patch; it depends on nothing but the arguments.

    Args:
        seed: Seed of the data set, from 0.
        roi: Place of the region of interest in the set, from 0.
        patch: Place of the patch in the region, from 0.

    Raises:
        ValueError: If an argument is negative.
    """
    if min(seed, roi, patch) < 0:
        raise ValueError(
            f"draw_luojia_patch: expected numbers from 0, found seed={seed}, roi={roi}, "
            f"patch={patch}"
        )
    region = np.random.Generator(np.random.PCG64([seed, roi, 0]))
    epsg = 32600 + int(region.integers(1, 61))
    corner = int(region.integers(20_000, 75_000)) * 10, int(region.integers(20_000, 550_000)) * 10
    greenness = float(region.uniform(0.3, 0.9))
    gains = draw_gains(region, len(SENTINEL2_UM))
    land, texture, radar = spawn_generators([seed, roi, patch, 1], 3)
    shape = (LUOJIA_SIZE, LUOJIA_SIZE)
    shares = draw_shares(land, CLASS_CODES[(roi + patch) % len(CLASS_CODES)])
    place = draw_landscape(land, shape, LUOJIA_GSD_M, shares)
    materials = draw_materials(land, place, greenness)
    ground = render_reflectance(texture, place, materials, SENTINEL2_UM, gains)
    sky = _SKY * (0.443 / np.array(SENTINEL2_UM)) ** 4 * _VAPOUR
    above = 10_000 * (ground * _VAPOUR[:, None, None] + sky[:, None, None])
    clear = above.astype(np.float32)
    views = tuple(
        _cloudy_view(clear, f"{roi}_{patch}_{number}", seed, number)
        for number in cover_bins(roi, patch)
    )
    backscatter_db = render_backscatter(radar, place, materials, shape)
    codes = np.zeros(max(LAND_COVER_CODES) + 1, np.uint8)
    codes[list(LAND_COVER_CODES)] = list(LAND_COVER_CODES.values())
    row, column = divmod(patch, _PATCHES_PER_ROW)
    side_m = LUOJIA_SIZE * LUOJIA_GSD_M
    return LuojiaPatch(
        roi=f"{roi + 1:02d}",
        number=patch + 1,
        clear=_at_band_resolution(clear),
        views=views,
        # Binary fractions leave most bits zero, which compresses well.
        backscatter_db=(np.round(64 * backscatter_db) / 64).astype(np.float32),
        land_cover=codes[place.cover],
        epsg=epsg,
        origin=(corner[0] + column * side_m, corner[1] - row * side_m),
    )


def cover_bins(roi: int, patch: int) -> tuple[int, ...]:
    """Bins of a patch, as indices into ``LUOJIA_BINS``; five successive patches fill them all.

    The first patch of each region is seen on two days and lies in two bins.
    """
    first = (roi + patch) % len(LUOJIA_BINS)
    return (first,) if patch else (first, (first + 2) % len(LUOJIA_BINS))


def _cloudy_view(clear: NDArray[np.float32], name: str, seed: int, number: int) -> CloudyView:
    bins = len(LUOJIA_BINS)
    # Away from the edges of the bin, so that rounding to pixels moves no patch to another bin.
    cover = ((number + 0.05) / bins, (number + 0.95) / bins)
    settings = CloudSettings(LUOJIA_GSD_M, SENTINEL2_UM, cover)
    clouds = simulate_clouds(clear, settings, name=f"luojia_{name}", seed=seed)
    return CloudyView(LUOJIA_BINS[number], _at_band_resolution(clouds.image), clouds.mask)


def _at_band_resolution(image: NDArray[Any]) -> NDArray[np.uint16]:
    """Whole numbers, each band at its own resolution on the 10 m grid."""
    counts = np.empty(image.shape, np.uint16)
    for band, gsd_m in enumerate(_BAND_GSD_M):
        values = image[band]
        if gsd_m > LUOJIA_GSD_M:
            side = round(LUOJIA_SIZE * LUOJIA_GSD_M / gsd_m)
            values = resample(area_mean(values.astype(float), (side, side)), values.shape)
        counts[band] = to_counts(values)
    return counts
