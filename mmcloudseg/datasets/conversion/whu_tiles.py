"""Scenes of WHU-OPT-SAR cut into square tiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from rasterio.windows import Window

from mmcloudseg.datasets.whu_opt_sar import BACKGROUND_CODE
from mmcloudseg.rasters.reading import open_raster

FOLDERS = dict(optical="optical", sar="sar", label="lbl")
"""Modality -> its folder in the published set."""


@dataclass(frozen=True)
class Scene:
    """One published scene.

    Attributes:
        name: Its map sheet, such as ``NH49E001013``.
        split: ``train``, ``val`` or ``test``.
        files: Modality -> path.
    """

    name: str
    split: str
    files: Mapping[str, str]


def tile_origins(length: int, size: int) -> list[int]:
    """First pixels of the tiles along one axis.

    Tiles lie side by side; the last one is shifted inside so that no pixel is lost.

    Args:
        length: Pixels of the scene along the axis.
        size: Pixels of a tile, at most as many.

    Returns:
        Ascending first pixels, each once.
    """
    if not 0 < size <= length:
        raise ValueError(f"tiles of {size} pixels do not fit into {length}")
    return [*range(0, length - size, size), length - size]


def tile_name(scene: str, row: int, column: int) -> str:
    """A tile's name: its scene and its upper left pixel there."""
    return f"{scene}_r{row:04d}_c{column:04d}"


def read_rows(scene: Scene, top: int, height: int) -> dict[str, np.ndarray]:
    """Read some rows of a scene, in full width.

    Args:
        scene: The scene.
        top: First row.
        height: Number of rows.

    Returns:
        Modality -> bands x rows x columns, all as wide as the optical image: a label that is one
        column narrower gets a last column of background.

    Raises:
        DataError: If a file cannot be read.
    """
    rows = {}
    for modality, path in scene.files.items():
        with open_raster(path) as source:
            rows[modality] = source.read(window=Window(0, top, source.width, height))
    label = rows["label"]
    missing = rows["optical"].shape[2] - label.shape[2]
    rows["label"] = np.pad(label, ((0, 0), (0, 0), (0, missing)), constant_values=BACKGROUND_CODE)
    return rows


def cut_tiles(
    scene: str, rows: Mapping[str, np.ndarray], top: int
) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Cut rows into tiles that are as wide as the rows are high.

    Args:
        scene: Its name.
        rows: As from :func:`read_rows`.
        top: First row, for the tiles' names.

    Yields:
        A tile's name and its pixels, modality -> bands x size x size.
    """
    _, size, width = rows["optical"].shape
    for left in tile_origins(width, size):
        tile = {name: pixels[:, :, left : left + size] for name, pixels in rows.items()}
        yield tile_name(scene, top, left), tile
