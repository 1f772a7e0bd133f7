"""Land-cover maps of places that do not exist, as ESA WorldCover codes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mmcloudseg.procedural.noise import Field, area_mean, fractal_noise

FOREST, SHRUB, GRASS, CROPS, BUILT, BARREN, WATER, WETLAND = 10, 20, 30, 40, 50, 60, 80, 90
CLASS_CODES = (FOREST, GRASS, CROPS, BUILT, BARREN, WATER)
"""One code for each main class, in the order of the six-class map; shrub counts as rangeland
(grass) and wetland as water."""


@dataclass(frozen=True)
class Landscape:
    """A place on a grid of square pixels.

    Attributes:
        cover: H x W uint8, WorldCover codes.
        parcels: H x W, number of the parcel that a pixel belongs to where it is farmed.
        along: H x W, metres along the direction of field rows and streets.
        across: H x W, metres at right angles to it.
        gsd_m: Side of a pixel in metres.
    """

    cover: NDArray[np.uint8]
    parcels: NDArray[np.int64]
    along: Field
    across: Field
    gsd_m: float


def draw_shares(rng: np.random.Generator, dominant: int) -> dict[int, float]:
    """Draw the area shares of the six main classes in one scene: code -> share.

    The ``dominant`` one of ``CLASS_CODES`` takes 30 to 55 %; classes below 2 % are left out.
    """
    others = [code for code in CLASS_CODES if code != dominant]
    # Open land is more common; towns, rock and water are rarer, as on most maps.
    concentration = [1.6 if code in (FOREST, GRASS, CROPS) else 0.9 for code in others]
    drawn = (1 - rng.uniform(0.3, 0.55)) * rng.dirichlet(concentration)
    shares = {code: float(x) for code, x in zip(others, drawn, strict=True) if x >= 0.02}
    shares[dominant] = 1 - sum(shares.values())
    return shares


def draw_landscape(
    rng: np.random.Generator, shape: tuple[int, int], gsd_m: float, shares: Mapping[int, float]
) -> Landscape:
    """Draw a place: rivers and lakes first, then towns, fields, forest and open land.

    Part of the rangeland is shrub, part of the water's banks wetland.

    Args:
        rng: Source of the randomness.
        shape: Height and width in pixels.
        gsd_m: Side of a pixel in metres.
        shares: Code out of ``CLASS_CODES`` -> share of the area; the rest is rangeland.
    """
    north, east = _metres(rng, shape, gsd_m)
    heading = rng.uniform(0, np.pi)
    along = east * np.cos(heading) + north * np.sin(heading)
    across = north * np.cos(heading) - east * np.sin(heading)
    parcels = _draw_parcels(rng, along, across)

    cover = np.full(shape, GRASS, np.uint8)
    free = np.ones(shape, bool)

    def claim(code: int, score: Field) -> None:
        chosen = _top_share(score, free, shares.get(code, 0.0))
        cover[chosen] = code
        free[chosen] = False

    claim(WATER, _water_score(rng, gsd_m, north, east))
    bank_m = _distance_m(cover == WATER, gsd_m)
    claim(BUILT, _town_score(rng, gsd_m, north, east))
    claim(CROPS, _field_score(rng, gsd_m, parcels))
    claim(FOREST, fractal_noise(rng, shape, 110 / gsd_m, 1.7) + np.exp(-bank_m / 25))
    claim(BARREN, fractal_noise(rng, shape, 130 / gsd_m, 1.8) + 0.8 * np.exp(-bank_m / 40))

    open_land = cover == GRASS
    cover[open_land & (fractal_noise(rng, shape, 60 / gsd_m, 1.6) > 0.6)] = SHRUB
    marshy = (bank_m < 30) & (fractal_noise(rng, shape, 70 / gsd_m, 2.0) > 0.7)
    cover[marshy & np.isin(cover, (GRASS, SHRUB, FOREST))] = WETLAND
    return Landscape(cover, parcels, along, across, gsd_m)


def aggregate_cover(
    cover: NDArray[np.uint8], shape: tuple[int, int], offset: tuple[float, float] = (0.0, 0.0)
) -> NDArray[np.uint8]:
    """Bring an H x W class map to a coarser grid; shape and offset as in `area_mean`.

    Each pixel takes the code with the largest area, of codes with equal areas the smallest.
    """
    codes = np.unique(cover)
    areas = np.stack([area_mean((cover == code).astype(float), shape, offset) for code in codes])
    # Sums of the same areas in another order differ by rounding; equal areas stay ties this way.
    return codes[np.round(areas, 9).argmax(axis=0)]


def _metres(rng: np.random.Generator, shape: tuple[int, int], gsd_m: float) -> tuple[Field, Field]:
    """Metres from the centre, gently warped: nothing on the ground is quite straight."""
    rows, columns = np.indices(shape, dtype=float)
    north = (rows - shape[0] / 2) * gsd_m + 5 * fractal_noise(rng, shape, 150 / gsd_m, 2.5)
    east = (columns - shape[1] / 2) * gsd_m + 5 * fractal_noise(rng, shape, 150 / gsd_m, 2.5)
    return north, east


def _draw_parcels(rng: np.random.Generator, along: Field, across: Field) -> NDArray[np.int64]:
    """Number the fields: strips of different widths, each cut into lengths of its own."""
    size_m = rng.uniform(70, 140)
    reach = float(np.abs(across).max()) + size_m
    widths = rng.uniform(0.5, 1.5, int(2 * reach / size_m * 2) + 2) * size_m
    strip = np.searchsorted(np.cumsum(widths) - reach, across)
    lengths = rng.uniform(0.9, 2.4, len(widths)) * size_m
    starts = rng.uniform(0, 1, len(widths)) * lengths
    cell = np.floor((along + starts[strip]) / lengths[strip]).astype(np.int64)
    _, numbers = np.unique(strip * 100_000 + (cell - cell.min()), return_inverse=True)
    return numbers.reshape(along.shape).astype(np.int64)


def _top_share(score: Field, free: NDArray[np.bool_], share: float) -> NDArray[np.bool_]:
    """The free pixels with the highest scores that make up a share of all pixels."""
    count = min(round(share * score.size), int(free.sum()))
    chosen = np.zeros(score.size, bool)
    if count:
        ranked = np.where(free, score, -np.inf).ravel()
        chosen[np.argsort(-ranked, kind="stable")[:count]] = True
    return chosen.reshape(score.shape)


def _water_score(rng: np.random.Generator, gsd_m: float, north: Field, east: Field) -> Field:
    """A meandering river, a lake, or both; higher is nearer to the deepest line."""
    kind = rng.integers(3)
    heading = rng.uniform(0, np.pi)
    down = east * np.cos(heading) + north * np.sin(heading)
    side = north * np.cos(heading) - east * np.sin(heading)
    extent = gsd_m * max(north.shape)
    position, slope = rng.uniform(-0.2, 0.2) * extent, 0.0
    for length_m, height_m in ((rng.uniform(450, 800), 70), (rng.uniform(180, 300), 22)):
        phase = 2 * np.pi * down / length_m + rng.uniform(0, 2 * np.pi)
        position = position + height_m * np.sin(phase)
        slope = slope + height_m * 2 * np.pi / length_m * np.cos(phase)
    bank_noise = fractal_noise(rng, north.shape, 50 / gsd_m, 2.0)
    river = -np.abs(side - position) / np.sqrt(1 + slope**2) / 60 + 0.1 * bank_noise
    centre = rng.uniform(-0.4, 0.4, 2) * extent
    radius_m = np.hypot(north - centre[0], (east - centre[1]) * rng.uniform(0.6, 1.6))
    lake = -radius_m / 130 + 0.45 * fractal_noise(rng, north.shape, 110 / gsd_m, 2.2)
    return (river, lake, np.maximum(river, lake))[kind]


def _town_score(rng: np.random.Generator, gsd_m: float, north: Field, east: Field) -> Field:
    """One to three settlements with frayed edges."""
    extent = gsd_m * max(north.shape)
    score = np.full(north.shape, -np.inf)
    for _ in range(rng.integers(1, 4)):
        centre = rng.uniform(-0.45, 0.45, 2) * extent
        radius_m = np.hypot(north - centre[0], east - centre[1])
        score = np.maximum(score, -radius_m / rng.uniform(90, 200))
    return score + 0.3 * fractal_noise(rng, north.shape, 60 / gsd_m, 1.7)


def _field_score(rng: np.random.Generator, gsd_m: float, parcels: NDArray[np.int64]) -> Field:
    """One score for each parcel, so that whole parcels are farmed, most of them adjacent."""
    field = fractal_noise(rng, parcels.shape, 200 / gsd_m, 2.0)
    numbers = parcels.ravel()
    areas = np.bincount(numbers)
    means = np.bincount(numbers, weights=field.ravel()) / areas
    means = means + 0.3 * rng.standard_normal(len(areas))
    # The last parcel is farmed in part, from one side, which leaves a fallow strip.
    return means[parcels] + 1e-9 * np.indices(parcels.shape).sum(axis=0)


def _distance_m(mask: NDArray[np.bool_], gsd_m: float) -> Field:
    """Metres to the nearest pixel of a mask, infinite where there is none."""
    if not mask.any():
        return np.full(mask.shape, np.inf)
    return ndimage.distance_transform_edt(~mask) * gsd_m
