"""The tiles beside each other in a scene: read, clouded, written, summed up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmcloudseg.clouds import MASK_THRESHOLD, OPACITY_STEPS, SimulatedClouds
from mmcloudseg.datasets.conversion.manifest import MODALITIES, Row, pixel_checksum
from mmcloudseg.datasets.conversion.whu_tiles import Scene, cut_tiles, read_rows
from mmcloudseg.rasters.geotiff import GeoTiffProfile, write_geotiff
from mmcloudseg.rasters.reading import raster_session
from mmcloudseg.rasters.sensors import GAOFEN1_UM, WHU_OPT_SAR_GSD_M

CLOUD_SETTINGS = dict(
    gsd_m=float(WHU_OPT_SAR_GSD_M),
    wavelengths_um=GAOFEN1_UM,
    # The scenes are stretched to 8 bits: thick cloud is close to the top of each band's range.
    white=(245, 240, 240, 250),
    cover=(0.0, 1.0),
    threshold=MASK_THRESHOLD,
)
# Neighbouring pixels predict each other in images, not in maps of codes.
PREDICTORS = dict(optical=2, sar=2, cloudy=2, cloud_opacity=2, label=1, cloud_mask=1)

Clouds = Callable[..., SimulatedClouds]


@dataclass(frozen=True)
class RowOfTiles:
    """The work that one process does at a time: the tiles beside each other in a scene.

    Attributes:
        scene: The scene.
        top: Their first row there.
        size: Their rows and columns.
        count: How many they are.
        folder: The folder of tiles.
        seed: Of the clouds.
        cloudy: Whether they get clouds.
        clouds: Draws the clouds; as ``simulate_clouds``.
    """

    scene: Scene
    top: int
    size: int
    count: int
    folder: Path
    seed: int
    cloudy: bool
    clouds: Clouds

    def convert(self) -> tuple[str, list[Row]]:
        """Write the tiles.

        Returns:
            The scene's name, and the tiles' rows of the manifest.
        """
        with raster_session():
            rows = read_rows(self.scene, self.top, self.size)
            tiles = cut_tiles(self.scene.name, rows, self.top)
            return self.scene.name, [self._write(name, tile) for name, tile in tiles]

    def _write(self, name: str, tile: dict[str, np.ndarray]) -> Row:
        if self.cloudy:
            drawn = self.clouds(tile["optical"], name=name, seed=self.seed, **CLOUD_SETTINGS)
            opacity = np.rint(drawn.opacity[None] * float(OPACITY_STEPS)).astype(np.uint16)
            tile = dict(
                tile,
                cloudy=drawn.image,
                cloud_opacity=opacity,
                cloud_mask=drawn.mask[None].astype(np.uint8),
            )
        for modality, pixels in tile.items():
            profile = GeoTiffProfile(compress="deflate", predictor=PREDICTORS[modality])
            write_geotiff(self.folder / modality / f"{name}.tif", pixels, profile)
        sums = {modality: pixel_checksum(pixels) for modality, pixels in tile.items()}
        return dict(split=self.scene.split, name=name, **{m: sums.get(m, "") for m in MODALITIES})
