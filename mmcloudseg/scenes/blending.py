"""From overlapping tiles to rows of the map's grid, one row of tiles at a time."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mmcloudseg.scenes.tiles import SceneLayout


class RowBlender:
    """Blends the tiles of one row, and hands out the rows that no later tile covers.

    Memory is channels x tile x scene width, whatever the scene's height. ``first_row`` is the row
    of tiles to start with.
    """

    def __init__(
        self, layout: SceneLayout, channels: int, device: torch.device, first_row: int = 0
    ) -> None:
        self.rows, self.columns = layout.rows, layout.columns
        self.row = first_row
        self._maps = torch.zeros(channels, self.rows.tile, self.columns.padded, device=device)
        self._valid = np.zeros((self.rows.tile, self.columns.padded), dtype=bool)

    def add(self, column: int, maps: Tensor) -> None:
        """Add the maps of a tile of the current row, channels x tile x tile."""
        down = maps.new_tensor(self.rows.weights[self.row])[:, None]
        across = maps.new_tensor(self.columns.weights[column])
        start = self.columns.starts[column]
        # Two products instead of one with the weights' outer product: no third array is needed.
        self._maps[:, :, start : start + self.columns.tile] += (maps * down).mul_(across)

    def add_valid(self, start: int, valid: np.ndarray) -> None:
        """Set which pixels of the current row have data: tile rows x columns from ``start``."""
        self._valid[:, start : start + valid.shape[1]] = valid

    def finish_row(self) -> tuple[Tensor, np.ndarray]:
        """Go on to the next row of tiles.

        Returns:
            The finished rows: maps, channels x rows x scene width, and which of their pixels have
            data, rows x scene width.
        """
        count = self.rows.finished(self.row) - self.rows.starts[self.row]
        width = self.columns.length
        maps = self._maps[:, :count, :width].clone()
        valid = self._valid[:count, :width].copy()
        kept = self.rows.tile - count
        for channel in self._maps:  # one by one, to copy a single channel at a time
            channel[:kept] = channel[count:].clone()
        self._maps[:, kept:] = 0
        self._valid[:kept] = self._valid[count:].copy()
        self._valid[kept:] = False
        self.row += 1
        return maps, valid


class RowResampler:
    """Bilinear interpolation between pixel centres, as MMSeg resizes logits to the label grid.

    If the sizes of both grids are in the ratio of the scale, it equals ``torch``'s ``interpolate``
    of the whole (``align_corners=False``); at a scale of 1 it changes nothing. The map is made in
    strips, one for each row of tiles, starting with any of them.
    """

    def __init__(self, layout: SceneLayout) -> None:
        self._layout = layout
        self._strips = layout.map_strips
        self._held: tuple[Tensor, np.ndarray] | None = None
        self._first = 0  # of the rows held

    def feed(
        self, index: int, maps: Tensor, valid: np.ndarray, wanted: bool = True
    ) -> tuple[Tensor, np.ndarray] | None:
        """Take what :meth:`RowBlender.finish_row` returned for a row of tiles, and make its strip.

        Args:
            index: The row of tiles.
            maps: Channels x rows x columns of the optical grid.
            valid: Rows x columns.
            wanted: Whether to make the strip; the rows are kept in any case.

        Returns:
            Maps and validity on the map's grid; None if the strip is empty or not wanted.
        """
        if self._held is None:
            self._first = self._layout.rows.starts[index]
        else:
            maps = torch.cat([self._held[0], maps], dim=1)
            valid = np.concatenate([self._held[1], valid])
        begin, end = self._strips[index]
        made = self._make(maps, valid, begin, end) if wanted and end > begin else None
        if index + 1 < len(self._strips):
            needed = self._layout.first_source_row(*self._strips[index + 1])
            # The next strip may begin beyond the rows held.
            count = min(needed - self._first, len(valid))
            if count > 0:
                maps, valid = maps[:, count:].clone(), valid[count:].copy()
                self._first += count
        self._held = maps, valid
        return made

    def _make(
        self, maps: Tensor, valid: np.ndarray, begin: int, end: int
    ) -> tuple[Tensor, np.ndarray]:
        down, across = self._layout.down, self._layout.across
        low, high = (taps[begin:end] - self._first for taps in (down.low, down.high))
        maps = _between(maps, 1, low, high, down.weight[begin:end])
        maps = _between(maps, 2, across.low, across.high, across.weight)
        nearest = down.nearest[begin:end] - self._first
        return maps, valid[nearest[:, None], across.nearest]


def _between(
    maps: Tensor, axis: int, low: np.ndarray, high: np.ndarray, weight: np.ndarray
) -> Tensor:
    if not weight.any() and np.array_equal(low, np.arange(maps.shape[axis])):
        return maps
    lower = maps.index_select(axis, torch.from_numpy(low).to(maps.device))
    if not weight.any():
        return lower
    upper = maps.index_select(axis, torch.from_numpy(high).to(maps.device))
    shape = [-1 if index == axis else 1 for index in range(3)]
    return torch.lerp(lower, upper, maps.new_tensor(weight).view(shape))
