"""Samples of the mini data set: procedural places seen by PlanetScope and Sentinel-1."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmcloudseg.procedural.landscape import (
    CLASS_CODES,
    aggregate_cover,
    draw_landscape,
    draw_shares,
)
from mmcloudseg.procedural.materials import draw_materials
from mmcloudseg.procedural.noise import Field, spawn_generators
from mmcloudseg.procedural.planetscope import draw_planetscope_view
from mmcloudseg.procedural.sar import render_backscatter
from mmcloudseg.procedural.spectra import draw_gains
from mmcloudseg.rasters.sensors import PLANETSCOPE_UM

SPLITS = ("train", "val", "test")
SEASONS = ("spring", "summer", "fall", "winter")
OPTICAL_SIZE, OPTICAL_GSD_M = 300, 3
LABEL_SIZE, LABEL_GSD_M = 90, 10
PATCHES_PER_AREA = 2

_GREENNESS = {"spring": 0.65, "summer": 0.8, "fall": 0.4, "winter": 0.3}
# A split never has as many areas, so that their numbers are unique.
_AREAS_PER_SPLIT = 100_000
_COVER_BINS = 5
_NODATA_EVERY = 24


@dataclass(frozen=True)
class Sample:
    """One sample, ready to be written.

    Attributes:
        split: Out of ``SPLITS``.
        season: Out of ``SEASONS``.
        area: Number of its area of interest, which belongs to one split.
        patch: Number within the area, from 1.
        cloud_free: 4 x 300 x 300 uint16, reflectance x 10 000 (blue, green, red, NIR).
        cloudy: The same place under clouds.
        cloud_mask: 300 x 300 bool, true = cloud.
        backscatter_db: 2 x 90 x 90 float64 (VV, VH).
        land_cover: 90 x 90 uint8, WorldCover codes, 0 = no data.
        epsg: UTM zone.
        optical_origin: Upper left corner (east, north) of the 3 m grid in metres.
        label_origin: Upper left corner of the 10 m grid, at most 2 m further inside.
    """

    split: str
    season: str
    area: int
    patch: int
    cloud_free: NDArray[np.uint16]
    cloudy: NDArray[np.uint16]
    cloud_mask: NDArray[np.bool_]
    backscatter_db: NDArray[np.float64]
    land_cover: NDArray[np.uint8]
    epsg: int
    optical_origin: tuple[int, int]
    label_origin: tuple[int, int]


@dataclass(frozen=True)
class _Area:
    """What the patches of one area of interest share."""

    number: int
    season: str
    epsg: int
    label_origin: tuple[int, int]
    greenness: float
    gains: Field
    sun_azimuth_deg: float


def draw_sample(seed: int, split: str, index: int) -> Sample:
    """Draw one sample; it depends on nothing but the arguments.

    Values are computed in float64 and rounded once, at the end, so that differences in the last
    bit between processors do not show in the pixels. The six classes take turns as the dominant
    one.

    Args:
        seed: Seed of the data set, from 0.
        split: Out of ``SPLITS``.
        index: Place in the split, from 0.

    Raises:
        ValueError: If the seed or index is negative or the split unknown.
    """
    if split not in SPLITS or seed < 0 or index < 0:
        raise ValueError(
            f"draw_sample: expected a split out of {SPLITS}, seed and index from 0, found "
            f"split={split!r}, seed={seed}, index={index}"
        )
    area = _draw_area(seed, split, index // PATCHES_PER_AREA)
    land, texture, radar, sky = spawn_generators([seed, SPLITS.index(split), index], 4)
    patch = index % PATCHES_PER_AREA
    east, north = area.label_origin[0] + 900 * patch, area.label_origin[1]
    # The 3 m grid has its lines at multiples of 3 m and encloses the 10 m grid.
    west_m, north_m = east % OPTICAL_GSD_M, -north % OPTICAL_GSD_M
    offset = (north_m / OPTICAL_GSD_M, west_m / OPTICAL_GSD_M)

    size, label_size = (OPTICAL_SIZE, OPTICAL_SIZE), (LABEL_SIZE, LABEL_SIZE)
    shares = draw_shares(land, CLASS_CODES[index % len(CLASS_CODES)])
    place = draw_landscape(land, size, OPTICAL_GSD_M, shares)
    materials = draw_materials(land, place, area.greenness)
    land_cover = aggregate_cover(place.cover, label_size, offset)
    if index % _NODATA_EVERY == _NODATA_EVERY // 2:
        corner = land.integers(2, 6, 2)
        land_cover[: corner[0], : corner[1]] = 0
    cover = cloud_cover(seed, split, index)
    clear, cloudy, mask = draw_planetscope_view(
        texture, sky, place, materials, cover, area.sun_azimuth_deg, area.gains
    )
    backscatter_db = render_backscatter(radar, place, materials, label_size, offset)
    return Sample(
        split=split,
        season=area.season,
        area=area.number,
        patch=patch + 1,
        cloud_free=clear,
        cloudy=cloudy,
        cloud_mask=mask,
        backscatter_db=np.round(backscatter_db, 4),
        land_cover=land_cover,
        epsg=area.epsg,
        optical_origin=(east - west_m, north + north_m),
        label_origin=(east, north),
    )


def cloud_cover(seed: int, split: str, index: int) -> float:
    """Cloud cover that a sample is given, from 0 to 1.

    Five successive samples fill the five bins of 20 % in random order. Of ten training samples,
    one is completely clear and one completely cloudy.
    """
    block, place = divmod(index, _COVER_BINS)
    rng = np.random.Generator(np.random.PCG64([seed, SPLITS.index(split), block, 1]))
    cover_bin = int(rng.permutation(_COVER_BINS)[place])
    # Away from the edges of the bins, so that rounding to pixels moves no sample to another bin.
    within = rng.uniform(0.02, 0.98, _COVER_BINS)[place]
    if split == "train" and block % 2 and cover_bin in (0, _COVER_BINS - 1):
        return float(cover_bin > 0)
    return float((cover_bin + within) / _COVER_BINS)


def _draw_area(seed: int, split: str, index: int) -> _Area:
    rng = np.random.Generator(np.random.PCG64([seed, SPLITS.index(split), index, 2, 0]))
    season = SEASONS[index % len(SEASONS)]
    southern = bool(rng.integers(2))
    epsg = (32700 if southern else 32600) + int(rng.integers(1, 61))
    north_range = (700_000, 920_000) if southern else (20_000, 550_000)
    origin = (int(rng.integers(20_000, 78_000)) * 10, int(rng.integers(*north_range)) * 10)
    return _Area(
        number=SPLITS.index(split) * _AREAS_PER_SPLIT + index + 1,
        season=season,
        epsg=epsg,
        label_origin=origin,
        gains=draw_gains(rng, len(PLANETSCOPE_UM)),
        greenness=float(np.clip(_GREENNESS[season] + rng.uniform(-0.2, 0.2), 0, 1)),
        # Both sensors pass in the morning: the sun is in the east, towards the equator.
        sun_azimuth_deg=float(rng.uniform(30, 70) if southern else rng.uniform(110, 160)),
    )
