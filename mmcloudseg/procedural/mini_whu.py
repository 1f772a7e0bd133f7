"""Scenes of the miniature WHU-OPT-SAR: procedural places seen by GF-1 and GF-3."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mmcloudseg.procedural.landscape import (
    BUILT,
    CROPS,
    FOREST,
    GRASS,
    WATER,
    WETLAND,
    Landscape,
    draw_landscape,
    draw_shares,
)
from mmcloudseg.procedural.materials import Material, draw_materials
from mmcloudseg.procedural.noise import Field, fractal_noise, spawn_generators
from mmcloudseg.procedural.sar import render_backscatter
from mmcloudseg.procedural.spectra import draw_gains, render_reflectance
from mmcloudseg.rasters.sensors import GAOFEN1_UM, WHU_OPT_SAR_GSD_M

WHU_SPLITS = ("train", "test")
# Codes of the published legend.
BACKGROUND, FARMLAND, CITY, VILLAGE, INLAND_WATER, WOODS, ROADS, OTHERS = range(0, 80, 10)
WHU_CODES = (FARMLAND, CITY, VILLAGE, INLAND_WATER, WOODS, ROADS, OTHERS)
CITY_HECTARES = 25

# The third scene is certain to have a city; crops, forest and lakes prevail, as in Hubei.
_DOMINANT = (CROPS, FOREST, BUILT, WATER, CROPS, GRASS)
_PLAIN_CODES = {CROPS: FARMLAND, WATER: INLAND_WATER, WETLAND: INLAND_WATER, FOREST: WOODS}
# Largest reflectance that the products' 8 bits hold, in the visible bands and near infrared.
_FULL_SCALE = (0.30, 0.30, 0.30, 0.45)
_SAR_RANGE_DB = (-28.0, 4.0)
# Sheets of 1:50 000 are rows and columns 1 to 24 of a sheet of 1:1 000 000; two neighbours are in
# one sheet of 1:100 000, so that neighbouring scenes come in pairs.
_MILLIONTH = {"train": "NH49", "test": "NH50"}
_SHEETS_PER_SIDE, _SCENES_PER_SHEET = 12, 2


@dataclass(frozen=True)
class WHUScene:
    """One scene, ready to be written.

    Attributes:
        name: Its sheet of the Chinese 1:50 000 map, such as ``NH49E001013``.
        optical: 4 x H x W uint8 (red, green, blue, NIR).
        sar: H x W uint8, backscatter in VV.
        label: H x W uint8, codes as published; some are one column narrower, as some of the
            published labels are.
    """

    name: str
    optical: NDArray[np.uint8]
    sar: NDArray[np.uint8]
    label: NDArray[np.uint8]


def draw_whu_scene(
    seed: int, split: str, index: int, size: tuple[int, int] = (400, 600)
) -> WHUScene:
    """Draw one scene; it depends on nothing but the arguments.

    Args:
        seed: Seed of the data set, from 0.
        split: Out of ``WHU_SPLITS``.
        index: Place in the split, from 0.
        size: Height and width in pixels of 5 m.

    Raises:
        ValueError: If the seed or index is negative, the split unknown, or the index beyond what
            one sheet of the 1:1 000 000 map holds.
    """
    name = sheet_name(split, index)
    if seed < 0:
        raise ValueError(f"draw_whu_scene: expected a seed from 0, found {seed}")
    land, texture, radar = spawn_generators([seed, WHU_SPLITS.index(split), index], 3)
    shares = draw_shares(land, _DOMINANT[index % len(_DOMINANT)])
    place = draw_landscape(land, size, WHU_OPT_SAR_GSD_M, shares)
    place = replace(place, cover=_with_villages(land, place))
    roads = _draw_roads(land, place)
    label = _label(place, roads)
    if index % 4 == 1:
        corner = (land.uniform(0.04, 0.12, 2) * size).astype(int) + 1
        label[-corner[0] :, : corner[1]] = BACKGROUND
    # Roads count as built-up, so that no rows of crops show on them.
    place = replace(place, cover=np.where(roads, np.uint8(BUILT), place.cover))
    materials = draw_materials(land, place, float(land.uniform(0.4, 0.9)))
    materials[roads] = Material.ROAD
    gains = draw_gains(land, len(GAOFEN1_UM), spread=0.08)
    reflectance = render_reflectance(texture, place, materials, GAOFEN1_UM, gains)
    # At 5 m GF-3 has fewer looks than Sentinel-1 at 10 m.
    backscatter_db = render_backscatter(radar, place, materials, size, (0, 0), ("VV",), looks=3)[0]
    return WHUScene(
        name=name,
        optical=_to_bytes(reflectance / np.array(_FULL_SCALE)[:, None, None]),
        sar=_to_bytes((backscatter_db - _SAR_RANGE_DB[0]) / np.ptp(_SAR_RANGE_DB)),
        label=label[:, :-1] if index % 3 == 1 else label,
    )


def sheet_name(split: str, index: int) -> str:
    """Name of a scene's map sheet. Two scenes share a sheet of 1:100 000, never across splits.

    Raises:
        ValueError: If the split is unknown or has no sheet of that index.
    """
    limit = _SHEETS_PER_SIDE**2 * _SCENES_PER_SHEET
    if split not in WHU_SPLITS or not 0 <= index < limit:
        raise ValueError(
            f"sheet_name: expected a split out of {WHU_SPLITS} and an index from 0 to "
            f"{limit - 1}, found {split!r} and {index}"
        )
    sheet, column = divmod(index, _SCENES_PER_SHEET)
    row, sheet_column = divmod(sheet, _SHEETS_PER_SIDE)
    return f"{_MILLIONTH[split]}E{2 * row + 1:03d}{2 * sheet_column + column + 1:03d}"


def _with_villages(rng: np.random.Generator, place: Landscape) -> NDArray[np.uint8]:
    """The cover with a few hamlets on dry land, in addition to the landscape's towns."""
    shape, gsd_m = place.cover.shape, place.gsd_m
    rows, columns = np.indices(shape, dtype=float)
    edge_m = 25 * fractal_noise(rng, shape, 40 / gsd_m, 1.8)
    cover = place.cover.copy()
    for _ in range(rng.integers(4, 9)):
        row, column = rng.uniform(0.05, 0.95, 2) * shape
        distance_m = np.hypot(rows - row, columns - column) * gsd_m + edge_m
        cover[(distance_m < rng.uniform(50, 110)) & ~np.isin(cover, (WATER, WETLAND))] = BUILT
    return cover


def _draw_roads(rng: np.random.Generator, place: Landscape) -> NDArray[np.bool_]:
    """Two or three winding lines across the scene, 10 to 20 m wide, over water as on bridges."""
    shape, gsd_m = place.cover.shape, place.gsd_m
    rows, columns = np.indices(shape, dtype=float)
    roads = np.zeros(shape, bool)
    for _ in range(rng.integers(2, 4)):
        heading = rng.uniform(0, np.pi)
        row, column = rng.uniform(0.25, 0.75, 2) * shape
        north, east = (rows - row) * gsd_m, (columns - column) * gsd_m
        along = east * np.cos(heading) + north * np.sin(heading)
        aside = north * np.cos(heading) - east * np.sin(heading)
        wave_m, sway_m = rng.uniform(900, 2000), rng.uniform(20, 80)
        phase = 2 * np.pi * along / wave_m + rng.uniform(0, 2 * np.pi)
        slope = sway_m * 2 * np.pi / wave_m * np.cos(phase)
        distance_m = np.abs(aside - sway_m * np.sin(phase)) / np.sqrt(1 + slope**2)
        roads |= distance_m < rng.uniform(10, 20) / 2
    return roads


def _label(place: Landscape, roads: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Published codes; settlements of ``CITY_HECTARES`` or more are cities."""
    label = np.full(place.cover.shape, OTHERS, np.uint8)
    for cover, code in _PLAIN_CODES.items():
        label[place.cover == cover] = code
    built = place.cover == BUILT
    # Built-up areas less than about 40 m apart are one settlement.
    near = ndimage.binary_dilation(built, iterations=round(20 / place.gsd_m))
    settlements, count = ndimage.label(near)
    pixels = ndimage.sum_labels(built, settlements, np.arange(count + 1))
    city = pixels * place.gsd_m**2 / 10_000 >= CITY_HECTARES
    label[built] = np.where(city[settlements], CITY, VILLAGE)[built]
    label[roads] = ROADS
    return label


def _to_bytes(share: Field) -> NDArray[np.uint8]:
    """0 to 1 as 1 to 255; 0 is kept for pixels without data."""
    return np.clip(np.round(share * 255), 1, 255).astype(np.uint8)
