"""What covers the ground at the scale of single trees, roofs and fields."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from mmcloudseg.procedural import landscape as codes
from mmcloudseg.procedural.landscape import Landscape
from mmcloudseg.procedural.noise import Field, fractal_noise

NODES_UM = (0.44, 0.49, 0.56, 0.665, 0.71, 0.865, 1.61, 2.20)


class Material(IntEnum):
    """Surfaces, numbered from 0, and how sensors see them.

    Attributes:
        percent: Reflectance at ``NODES_UM``: rounded typical values of green and dry vegetation,
            soils, building materials and water, darkened towards those of PlanetScope scenes with
            3 m pixels.
        backscatter_db: Mean backscatter (VV, VH), typical of Sentinel-1 at middle incidence
            angles. Open land lies within about 1.5 dB whatever grows on it, less than the
            variation between fields.
        texture: Log-amplitude of fine texture: crowns and roofs are rough, water and sown fields
            are even.
    """

    percent: tuple[float, ...]
    backscatter_db: tuple[float, float]
    texture: float

    CANOPY = (1.8, 2.2, 4.8, 3.0, 8.0, 29.0, 14.0, 6.0), (-8.0, -13.4), 0.20
    DRY_CANOPY = (2.0, 2.6, 5.2, 6.0, 9.5, 21.5, 17.0, 9.0), (-8.6, -14.2), 0.20
    UNDERSTOREY = (1.3, 1.7, 3.4, 3.0, 5.5, 15.0, 9.0, 5.0), (-8.8, -14.4), 0.15
    SHRUB = (2.3, 3.0, 5.9, 6.0, 10.0, 24.0, 18.0, 10.0), (-10.3, -16.4), 0.16
    GREEN_GRASS = (2.4, 3.2, 7.0, 5.2, 12.0, 32.0, 21.0, 11.0), (-10.9, -17.9)
    DRY_GRASS = (3.2, 4.4, 7.8, 10.5, 13.5, 23.0, 28.0, 19.0), (-11.3, -18.6)
    SOIL = (4.2, 6.0, 9.0, 12.5, 14.5, 20.5, 30.0, 26.0), (-11.4, -19.3)
    LUSH_CROP = (2.0, 2.7, 6.8, 3.6, 12.0, 41.0, 20.0, 9.0), (-10.2, -16.8)
    YOUNG_CROP = (2.7, 3.7, 7.2, 7.0, 12.0, 27.0, 24.0, 15.0), (-10.8, -18.2)
    RIPE_CROP = (3.8, 5.4, 9.6, 12.0, 15.5, 28.5, 29.0, 18.0), (-10.9, -17.6)
    STUBBLE = (3.5, 4.9, 8.4, 11.4, 14.0, 23.5, 31.0, 23.0), (-11.0, -18.6)
    PLOUGHED = (3.6, 5.2, 8.2, 11.4, 13.2, 19.0, 27.0, 24.0), (-10.3, -18.8)
    BRIGHT_ROOF = (14.0, 16.5, 18.5, 20.0, 21.0, 23.5, 25.0, 22.0), (-2.0, -10.0), 0.22
    TILED_ROOF = (4.6, 5.8, 8.0, 13.8, 15.5, 20.0, 26.0, 24.0), (-3.0, -10.5), 0.18
    DARK_ROOF = (5.5, 6.4, 7.2, 7.8, 8.2, 10.0, 13.0, 13.0), (-2.5, -10.5), 0.18
    ROAD = (6.4, 7.6, 9.2, 10.2, 10.8, 13.0, 18.0, 17.0), (-12.5, -20.0)
    SAND = (6.5, 8.8, 13.0, 17.0, 19.0, 25.0, 33.0, 31.0), (-12.6, -20.6)
    ROCK = (5.2, 6.6, 9.0, 11.0, 12.0, 15.5, 22.0, 21.0), (-10.7, -18.9), 0.14
    CLEAR_WATER = (3.2, 3.2, 3.4, 1.9, 1.5, 1.2, 0.6, 0.4), (-19.0, -27.0), 0.03
    TURBID_WATER = (3.6, 4.6, 7.2, 6.6, 5.2, 2.8, 0.8, 0.5), (-18.4, -26.4), 0.03
    REED = (2.2, 2.9, 5.4, 4.6, 7.5, 17.0, 10.0, 5.0), (-11.8, -19.0)

    def __new__(
        cls, percent: tuple[float, ...], backscatter_db: tuple[float, float], texture: float = 0.07
    ) -> "Material":
        """Number a material by its place and attach its properties."""
        number = len(cls.__members__)
        material = int.__new__(cls, number)
        material._value_ = number
        material.percent = percent
        material.backscatter_db = backscatter_db
        material.texture = texture
        return material


ROOFS = (Material.BRIGHT_ROOF, Material.TILED_ROOF, Material.DARK_ROOF)
_CROPS = (
    Material.LUSH_CROP,
    Material.YOUNG_CROP,
    Material.RIPE_CROP,
    Material.STUBBLE,
    Material.PLOUGHED,
)
_LOT_STATES = (*ROOFS, Material.SOIL, Material.GREEN_GRASS, Material.CANOPY)
_LOT_ODDS = (0.24, 0.24, 0.22, 0.08, 0.12, 0.10)


def draw_materials(
    rng: np.random.Generator, landscape: Landscape, greenness: float
) -> NDArray[np.uint8]:
    """Fill each land cover with materials, H x W ``Material`` numbers.

    Args:
        rng: Source of the randomness.
        landscape: The place.
        greenness: State of the season, from 0 (dry or leafless) to 1 (lush).

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


def _forest(vigour: Field, clumps: Field) -> NDArray[np.int64]:
    """Closed canopy, dry canopy where vigour is low, dark gaps between crowns."""
    trees = np.where(vigour > -0.7, Material.CANOPY, Material.DRY_CANOPY)
    return np.where(clumps < -1.2, Material.UNDERSTOREY, trees)


def _grass(vigour: Field, clumps: Field) -> NDArray[np.int64]:
    """Green and dry grass, bare spots in the dry part, a bush here and there."""
    turf = np.where(vigour + 0.5 * clumps > 0, Material.GREEN_GRASS, Material.DRY_GRASS)
    turf = np.where(vigour + clumps < -2.2, Material.SOIL, turf)
    return np.where(clumps > 2.0, Material.SHRUB, turf)


def _crops(rng: np.random.Generator, landscape: Landscape, greenness: float) -> NDArray[np.int64]:
    """One crop state for each parcel; some parcels have a green or bare margin."""
    green, bare = 0.15 + 0.6 * greenness, 0.75 - 0.6 * greenness
    odds = np.array([0.6 * green, 0.4 * green, 0.4 * bare, 0.25 * bare, 0.35 * bare])
    parcels = landscape.parcels
    states = rng.choice(_CROPS, size=parcels.max() + 1, p=odds / odds.sum())[parcels]
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
    rng: np.random.Generator, shape: tuple[int, int], gsd_m: float, clumps: Field
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
