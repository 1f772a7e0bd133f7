"""Tiles of a WHU-OPT-SAR scene: cut out, put under clouds, and written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from mmcloudseg.clouds import OPACITY_STEPS, CloudSettings, simulate_clouds
from mmcloudseg.datasets.conversion.settings import ConversionSettings
from mmcloudseg.datasets.conversion.tile_folder import MODALITIES, Row, pixel_checksum
from mmcloudseg.datasets.whu_opt_sar import BACKGROUND_CODE
from mmcloudseg.rasters.geotiff import GeoTiffProfile, write_geotiff
from mmcloudseg.rasters.reading import open_raster, raster_session, read_header
from mmcloudseg.rasters.sensors import GAOFEN1_UM, WHU_OPT_SAR_GSD_M

FOLDERS = dict(optical="optical", sar="sar", label="lbl")
"""Modality -> its folder in the published set."""
CLOUD_SETTINGS = CloudSettings(
    gsd_m=WHU_OPT_SAR_GSD_M,
    wavelengths_um=GAOFEN1_UM,
    # The scenes are stretched to 8 bits: thick cloud is close to the top of each band's range.
    white=(245, 240, 240, 250),
)
# Neighbouring pixels predict each other in images, but not in maps of codes.
PREDICTORS = dict(optical=2, sar=2, cloudy=2, cloud_opacity=2, label=1, cloud_mask=1)


@dataclass(frozen=True)
class PublishedScene:
    """One scene as published: its map sheet (``NH49E001013``), split, and modality -> path."""

    name: str
    split: str
    files: Mapping[str, str]


def convert_row(
    place: tuple[PublishedScene, int], folder: Path, size: int, settings: ConversionSettings
) -> list[Row]:
    """Write the tiles that start at ``place``, a scene and its row; return the manifest's rows."""
    scene, top = place
    rows: list[Row] = []
    with raster_session():
        for name, tile in cut_tiles(scene, top, size):
            if settings.freeze_train or scene.split != "train":
                clear, seed = tile["optical"], settings.seed
                drawn = simulate_clouds(clear, CLOUD_SETTINGS, name=name, seed=seed)
                opacity = np.rint(drawn.opacity[None] * float(OPACITY_STEPS)).astype(np.uint16)
                mask = drawn.mask[None].astype(np.uint8)
                tile |= dict(cloudy=drawn.image, cloud_opacity=opacity, cloud_mask=mask)
            for modality, pixels in tile.items():
                profile = GeoTiffProfile(compress="deflate", predictor=PREDICTORS[modality])
                write_geotiff(folder / modality / f"{name}.tif", pixels, profile)
            sums = {m: pixel_checksum(tile[m]) if m in tile else "" for m in MODALITIES}
            rows.append(dict(split=scene.split, name=name, **sums))
    return rows


def scene_shape(scene: PublishedScene) -> tuple[int, int]:
    """Rows and columns of a scene, from the header of its optical image."""
    with raster_session():
        return read_header(scene.files["optical"]).shape


def tile_origins(length: int, size: int) -> list[int]:
    """First pixels of the tiles along an axis of ``length`` pixels, in ascending order.

    Tiles lie next to each other; the last one is shifted inwards so that no pixel is lost.

    Raises:
        ValueError: If the tile does not fit.
    """
    if not 0 < size <= length:
        raise ValueError(f"tiles of {size} pixels do not fit into {length}")
    return [*range(0, length - size, size), length - size]


def tile_name(scene: str, row: int, column: int) -> str:
    """A tile's name: its scene and its upper left pixel there."""
    return f"{scene}_r{row:04d}_c{column:04d}"


def cut_tiles(
    scene: PublishedScene, top: int, size: int
) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Cut the tiles whose first row is ``top`` out of a scene.

    Yields:
        A tile's name and its pixels, modality -> bands x size x size. A label that is one column
        narrower than the optical image is completed with a column of background.

    Raises:
        DataError: If a file cannot be read.
    """
    rows = {}
    for modality, path in scene.files.items():
        with open_raster(path) as source:
            rows[modality] = source.read(window=Window(0, top, source.width, size))
    width = rows["optical"].shape[2]
    padding = ((0, 0), (0, 0), (0, width - rows["label"].shape[2]))
    rows["label"] = np.pad(rows["label"], padding, constant_values=BACKGROUND_CODE)
    for left in tile_origins(width, size):
        tile = {modality: pixels[:, :, left : left + size] for modality, pixels in rows.items()}
        yield tile_name(scene.name, top, left), tile
