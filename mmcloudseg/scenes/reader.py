"""Reads a scene's tiles, several side by side at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rasterio.windows import Window

from mmcloudseg.rasters.scene_raster import SceneRaster
from mmcloudseg.scenes.tiles import TileAxis


@dataclass(frozen=True)
class Chunk:
    """Neighbouring tiles of one row of tiles.

    Attributes:
        row: The row of tiles.
        start: First column of the optical grid.
        valid: Tile rows x columns: where the optical image has data.
        count: How many tiles there are.
        columns: Which of them hold data; the others are not mapped.
        tiles: Those tiles, N x bands x tile x tile, float32; NaN where a modality is missing.
        last: Whether the row of tiles ends here.
    """

    row: int
    start: int
    valid: np.ndarray
    count: int
    columns: Sequence[int]
    tiles: np.ndarray
    last: bool


class TileReader:
    """Reads tiles of the optical image and of what else the model sees.

    Args:
        optical: The optical image, which says where there are data.
        sar: The SAR image on the same grid; None if it is missing.
        modalities: What the model sees, in its order.
        counts: Bands of each modality.
        rows: Tiles along rows.
        columns: Tiles along columns.
        batch_size: Tiles of a chunk.
    """

    def __init__(
        self,
        optical: SceneRaster,
        sar: SceneRaster | None,
        modalities: Sequence[str],
        counts: dict[str, int],
        rows: TileAxis,
        columns: TileAxis,
        batch_size: int,
    ) -> None:
        self.rasters = dict(optical=optical, sar=sar)
        self.modalities, self.counts = modalities, counts
        self.rows, self.columns = rows, columns
        self.batch_size = batch_size

    def jobs(self, first_row: int) -> list[tuple[int, int]]:
        """Row of tiles and first tile of every chunk from a row on."""
        return [
            (row, column)
            for row in range(first_row, len(self.rows))
            for column in range(0, len(self.columns), self.batch_size)
        ]

    def read(self, job: tuple[int, int]) -> Chunk:
        """Read a chunk.

        Raises:
            DataError: A file is damaged or incomplete.
        """
        row, first = job
        numbers = range(first, min(first + self.batch_size, len(self.columns)))
        start = self.columns.starts[first]
        stop = self.columns.starts[numbers[-1]] + self.columns.tile
        window = Window(start, self.rows.starts[row], stop - start, self.rows.tile)
        optical, valid = self.rasters["optical"].read(window)
        tile = self.columns.tile
        offsets = {number: self.columns.starts[number] - start for number in numbers}
        held = [n for n, left in offsets.items() if valid[:, left : left + tile].any()]
        last = numbers[-1] == len(self.columns) - 1
        tiles = np.empty((0, 0, tile, tile), dtype=np.float32)
        if held:
            image = np.concatenate(
                [
                    optical if name == "optical" else self._other(name, window)
                    for name in self.modalities
                    if self.counts.get(name)
                ]
            )
            tiles = np.stack([image[:, :, offsets[n] : offsets[n] + tile] for n in held])
        return Chunk(row, start, valid, len(numbers), held, tiles, last)

    def _other(self, name: str, window: Window) -> np.ndarray:
        raster = self.rasters[name]
        if raster is None:
            shape = (self.counts[name], int(window.height), int(window.width))
            return np.full(shape, np.nan, dtype=np.float32)
        return raster.read(window)[0]
