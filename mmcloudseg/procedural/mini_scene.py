"""A procedural scene of any size: PlanetScope under clouds, Sentinel-1, and the truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmcloudseg.procedural import landscape
from mmcloudseg.procedural.materials import draw_materials
from mmcloudseg.procedural.mini_layout import north_up
from mmcloudseg.procedural.mini_m3mcr import LABEL_GSD_M, OPTICAL_GSD_M
from mmcloudseg.procedural.noise import spawn_generators
from mmcloudseg.procedural.planetscope import draw_planetscope_view
from mmcloudseg.procedural.sar import render_backscatter
from mmcloudseg.rasters.geotiff import GeoTiffProfile, write_geotiff

EPSG = 32632
ORIGIN = (600_000, 5_400_000)
"""Upper left corner (east, north) in metres, a multiple of both pixel sizes."""
_GREENNESS = 0.8
_SUN_AZIMUTH_DEG = 140.0
_ROUND = 10  # the smallest number of optical pixels that is a whole number of SAR pixels


@dataclass(frozen=True)
class MiniScene:
    """A scene, ready to be written.

    Attributes:
        optical: 4 x H x W uint16, reflectance x 10 000 (blue, green, red, NIR), under clouds.
        cloud_free: The same without clouds.
        backscatter_db: 2 x h x w float32 (VV, VH).
        land_cover: h x w uint8, WorldCover codes.
    """

    optical: NDArray[np.uint16]
    cloud_free: NDArray[np.uint16]
    backscatter_db: NDArray[np.float32]
    land_cover: NDArray[np.uint8]


def draw_scene(size: int, seed: int = 0, cloud_cover: float = 0.4) -> MiniScene:
    """Draw a scene in the mini M3M-CR's style; it depends on nothing but the arguments.

    Args:
        size: Rows and columns of the optical image; a multiple of 10.
        seed: Seed of the scene, from 0.
        cloud_cover: Fraction of cloudy pixels, 0 to 1.

    Raises:
        ValueError: If the size is not a whole number of SAR pixels, or the cover out of range.
    """
    if size < _ROUND or size % _ROUND or not 0 <= cloud_cover <= 1:
        raise ValueError(
            f"draw_scene: expected a size that is a multiple of {_ROUND} and a cloud cover from 0 "
            f"to 1, found {size} and {cloud_cover}"
        )
    land, texture, radar, sky = spawn_generators([seed, size], 4)
    coarse = (size * OPTICAL_GSD_M // LABEL_GSD_M,) * 2
    shares = landscape.draw_shares(land, landscape.FOREST)
    place = landscape.draw_landscape(land, (size, size), OPTICAL_GSD_M, shares)
    materials = draw_materials(land, place, _GREENNESS)
    clear, cloudy, _ = draw_planetscope_view(
        texture, sky, place, materials, cloud_cover, _SUN_AZIMUTH_DEG
    )
    return MiniScene(
        optical=cloudy,
        cloud_free=clear,
        backscatter_db=render_backscatter(radar, place, materials, coarse).astype(np.float32),
        land_cover=landscape.aggregate_cover(place.cover, coarse),
    )


def write_scene(folder: str | Path, scene: MiniScene) -> dict[str, Path]:
    """Write ``optical.tif``, ``sar.tif``, ``cloud_free.tif`` and ``land_cover.tif``.

    Returns:
        The files by their names without ending.
    """
    layers: dict[str, tuple[NDArray[Any], int, float]] = dict(
        optical=(scene.optical, OPTICAL_GSD_M, 0),
        sar=(scene.backscatter_db, LABEL_GSD_M, float("nan")),
        cloud_free=(scene.cloud_free, OPTICAL_GSD_M, 0),
        land_cover=(scene.land_cover, LABEL_GSD_M, 0),
    )
    files = {name: Path(folder) / f"{name}.tif" for name in layers}
    for name, (bands, gsd_m, nodata) in layers.items():
        grid = north_up(ORIGIN, gsd_m)
        profile = GeoTiffProfile(f"EPSG:{EPSG}", grid, nodata, compress="deflate", tiled=True)
        write_geotiff(files[name], bands, profile)
    return files
