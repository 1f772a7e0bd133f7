"""What covers the ground at the scale of single trees, roofs and fields."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from mmcloudseg.procedural import landscape as codes
from mmcloudseg.procedural.landscape import Landscape
from mmcloudseg.procedural.noise import fractal_noise


class Material(IntEnum):
    """Surfaces with known reflectance and backscatter."""

    CANOPY = 0
    DRY_CANOPY = 1
    UNDERSTOREY = 2
    SHRUB = 3
    GREEN_GRASS = 4
    DRY_GRASS = 5
    SOIL = 6
    LUSH_CROP = 7
    YOUNG_CROP = 8
    RIPE_CROP = 9
    STUBBLE = 10
    PLOUGHED = 11
    BRIGHT_ROOF = 12
    TILED_ROOF = 13
    DARK_ROOF = 14
    ROAD = 15
    SAND = 16
    ROCK = 17
    CLEAR_WATER = 18
    TURBID_WATER = 19
    REED = 20


CROP_STATES = (
    Material.LUSH_CROP,
    Material.YOUNG_CROP,
    Material.RIPE_CROP,
    Material.STUBBLE,
    Material.PLOUGHED,
)
_LOT_STATES = (
    Material.BRIGHT_ROOF,
    Material.TILED_ROOF,
    Material.DARK_ROOF,
    Material.SOIL,
    Material.GREEN_GRASS,
    Material.CANOPY,
)
_LOT_ODDS = (0.24, 0.24, 0.22, 0.08, 0.12, 0.10)


def draw_materials(
    rng: np.random.Generator, landscape: Landscape, greenness: float
) -> NDArray[np.uint8]:
    """Fill each land cover with materials.

    Args:
        rng: Source of the randomness.
        landscape: The place.
        greenness: State of the season, from 0 (dry or leafless) to 1 (lush).

    Returns:
        H x W uint8 of ``Material`` numbers.

    Raises:
        ValueError: If greenness lies outside 0 to 1, or the map holds a code without materials.
    """
    if not 0 <= greenness <= 1:
        raise ValueError(f"greenness: expected 0 to 1, found {greenness}; rescale the value")
    shape, gsd_m = landscape.cover.shape, landscape.gsd_m
    vigour = fractal_noise(rng, shape, 90 / gsd_m, 1.6) + 2.5 * (greenness - 0.5)
    clumps = fractal_noise(rng, shape, 5 / gsd_m, 1.6)
    fillers = {
        codes.FOREST: _forest(vigour, clumps),
        codes.SHRUB: np.where(clumps > 0.1, Material.SHRUB, _grass(vigour, clumps)),
        codes.GRASS: _grass(vigour, clumps),
        codes.CROPS: _crops(rng, landscape, greenness),
        codes.BUILT: _town(rng, landscape),
        codes.BARREN: _barren(rng, shape, gsd_m, clumps),
        codes.WATER: _water(rng, shape, gsd_m),
        codes.WETLAND: np.where(clumps > -0.3, Material.REED, Material.TURBID_WATER),
    }
    unknown = set(np.unique(landscape.cover).tolist()) - set(fillers)
    if unknown:
        raise ValueError(
            f"draw_materials: no materials for the codes {sorted(unknown)}; expected codes out of "
            f"{sorted(fillers)}"
        )
    materials = np.zeros(shape, np.uint8)
    for code, filler in fillers.items():
        chosen = landscape.cover == code
        materials[chosen] = filler[chosen]
    return materials


def _forest(vigour: NDArray[np.float64], clumps: NDArray[np.float64]) -> NDArray[np.int64]:
    """Closed canopy, dry canopy where vigour is low, dark gaps between crowns."""
    trees = np.where(vigour > -0.7, Material.CANOPY, Material.DRY_CANOPY)
    return np.where(clumps < -1.2, Material.UNDERSTOREY, trees)


def _grass(vigour: NDArray[np.float64], clumps: NDArray[np.float64]) -> NDArray[np.int64]:
    """Green and dry grass, bare spots in the dry part, a bush here and there."""
    turf = np.where(vigour + 0.5 * clumps > 0, Material.GREEN_GRASS, Material.DRY_GRASS)
    turf = np.where(vigour + clumps < -2.2, Material.SOIL, turf)
    return np.where(clumps > 2.0, Material.SHRUB, turf)


def _crops(rng: np.random.Generator, landscape: Landscape, greenness: float) -> NDArray[np.int64]:
    """One crop state for each parcel; some parcels have a green or bare margin."""
    green, bare = 0.15 + 0.6 * greenness, 0.75 - 0.6 * greenness
    odds = np.array([0.6 * green, 0.4 * green, 0.4 * bare, 0.25 * bare, 0.35 * bare])
    parcels = landscape.parcels
    states = rng.choice(CROP_STATES, size=parcels.max() + 1, p=odds / odds.sum())[parcels]
    border = np.zeros(parcels.shape, bool)
    border[:, 1:] |= parcels[:, 1:] != parcels[:, :-1]
    border[1:] |= parcels[1:] != parcels[:-1]
    margins = np.array([Material.CANOPY, Material.SHRUB, Material.SOIL, Material.GREEN_GRASS])
    margin = rng.choice(margins, size=parcels.max() + 1, p=(0.15, 0.15, 0.35, 0.35))[parcels]
    return np.where(border, margin, states)


def _town(rng: np.random.Generator, landscape: Landscape) -> NDArray[np.int64]:
    """Streets along the parcels' direction, and lots with a building and a yard each."""
    along, across = landscape.along, landscape.across
    block_m, street_m, lot_m = rng.uniform(60, 100), rng.uniform(6, 10), rng.uniform(14, 24)
    street = (along % block_m < street_m) | (across % (0.7 * block_m) < street_m)
    lots = rng.choice(_LOT_STATES, size=(64, 64), p=_LOT_ODDS)
    lot = lots[np.floor(along / lot_m).astype(int) % 64, np.floor(across / lot_m).astype(int) % 64]
    yards = rng.choice([Material.SOIL, Material.GREEN_GRASS, Material.ROAD], size=(64, 64))
    yard = yards[
        np.floor(along / block_m).astype(int) % 64, np.floor(across / block_m).astype(int) % 64
    ]
    inside = (along % lot_m < 0.75 * lot_m) & (across % lot_m < 0.75 * lot_m)
    return np.where(street, Material.ROAD, np.where(inside, lot, yard))


def _barren(
    rng: np.random.Generator, shape: tuple[int, int], gsd_m: float, clumps: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Sand and rock in patches, with sparse growth."""
    kind = fractal_noise(rng, shape, 80 / gsd_m, 1.8) + rng.uniform(-0.8, 0.8)
    ground = np.where(kind > 0, Material.SAND, Material.ROCK)
    ground = np.where(np.abs(kind) < 0.25, Material.SOIL, ground)
    return np.where(clumps > 1.7, Material.DRY_GRASS, ground)


def _water(rng: np.random.Generator, shape: tuple[int, int], gsd_m: float) -> NDArray[np.int64]:
    """Clear and turbid water, one of which dominates the scene."""
    turbid = fractal_noise(rng, shape, 200 / gsd_m, 2.5) + rng.uniform(-1.5, 1.5) > 0
    return np.where(turbid, Material.TURBID_WATER, Material.CLEAR_WATER)
