"""Blending tiles into rows of a scene, as they come."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mmcloudseg.scenes.tiles import TileAxis


class RowBlender:
    """Holds one row of tiles; what no further row reaches is finished and handed out.

    Memory is channels x tile x scene width, whatever the scene's height.

    Args:
        rows: Tiles along rows.
        columns: Tiles along columns.
        channels: Of the maps.
        device: Where the maps are.
        first_row: The row of tiles that comes first.
    """

    def __init__(
        self,
        rows: TileAxis,
        columns: TileAxis,
        channels: int,
        device: torch.device,
        first_row: int = 0,
    ) -> None:
        self.rows, self.columns = rows, columns
        self.row = first_row
        self._maps = torch.zeros(channels, rows.tile, columns.padded, device=device)
        self._valid = np.zeros((rows.tile, columns.padded), dtype=bool)

    def add(self, column: int, maps: Tensor) -> None:
        """Add the maps of a tile of the present row.

        Args:
            column: The tile's number.
            maps: Channels x tile x tile.
        """
        down = maps.new_tensor(self.rows.weights(self.row))[:, None]
        across = maps.new_tensor(self.columns.weights(column))
        start = self.columns.starts[column]
        # Two products instead of one of the weights' outer product: it needs no third array.
        self._maps[:, :, start : start + self.columns.tile] += (maps * down).mul_(across)

    def add_valid(self, start: int, valid: np.ndarray) -> None:
        """Say which pixels of the present row have data.

        Args:
            start: First column.
            valid: Tile rows x columns, bool.
        """
        self._valid[:, start : start + valid.shape[1]] = valid

    def finish_row(self) -> tuple[Tensor, np.ndarray]:
        """End the present row of tiles.

        Returns:
            The rows that are finished now: maps, channels x rows x scene width; and which of
            their pixels have data.
        """
        start = self.rows.starts[self.row]
        count = self.rows.finished(self.row) - start
        width = self.columns.length
        maps = self._maps[:, :count, :width].clone()
        valid = self._valid[:count, :width].copy()
        kept = self.rows.tile - count
        for channel in self._maps:  # one after the other: a copy of one, not of all
            channel[:kept] = channel[count:].clone()
        self._maps[:, kept:] = 0
        self._valid[:kept] = self._valid[count:].copy()
        self._valid[kept:] = False
        self.row += 1
        return maps, valid
