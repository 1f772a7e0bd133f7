"""From rows of the optical grid to rows of the map's grid, as they come."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mmcloudseg.scenes.tiles import TileAxis


class RowResampler:
    """Bilinear interpolation between pixel centres, as MMSeg resizes logits to the label's grid.

    With both grids' sizes in the proportion of ``scale`` it equals ``torch``'s ``interpolate``
    of the whole (``align_corners=False``); at a scale of 1 it changes nothing.

    Rows of the map are made in strips, one for each row of tiles, whichever tile came first.

    Args:
        rows: Tiles along rows.
        shape: Rows and columns of the optical grid.
        out_shape: Rows and columns of the map's grid.
        scale: Map pixels per optical pixel.
    """

    def __init__(
        self, rows: TileAxis, shape: tuple[int, int], out_shape: tuple[int, int], scale: float
    ) -> None:
        self._down = _Taps(shape[0], out_shape[0], scale)
        self._across = _Taps(shape[1], out_shape[1], scale)
        finished = [rows.finished(index) for index in range(len(rows))]
        # A row of the map can be made when the lower row that it is made of is finished.
        ends = np.searchsorted(self._down.high, finished, side="left")
        self.ends = [*map(int, ends[:-1]), out_shape[0]]
        self._held: Tensor | None = None
        self._valid: np.ndarray | None = None
        self._first = 0

    def strip(self, index: int) -> tuple[int, int]:
        """First row of a strip in the map, and one past its last; both the same if it is empty."""
        return (self.ends[index - 1] if index else 0), self.ends[index]

    def first_source_row(self, index: int) -> int:
        """First row of the optical grid that a strip is made of."""
        begin, end = self.strip(index)
        if begin == end:
            return self._down.low[min(begin, len(self._down.low) - 1)]
        return min(int(self._down.low[begin]), int(self._down.nearest[begin]))

    def feed(
        self, index: int, start: int, maps: Tensor, valid: np.ndarray, wanted: bool = True
    ) -> tuple[Tensor, np.ndarray] | None:
        """Take the finished rows of a row of tiles, and make its strip.

        Args:
            index: The row of tiles.
            start: First of the finished rows.
            maps: Channels x rows x columns.
            valid: Rows x columns.
            wanted: Whether the strip is wanted; the rows are kept in any case.

        Returns:
            Maps and validity on the map's grid; None for a strip that is empty or not wanted.
        """
        if self._held is None:
            self._held, self._valid, self._first = maps, valid, start
        else:
            self._held = torch.cat([self._held, maps], dim=1)
            self._valid = np.concatenate([self._valid, valid])
        begin, end = self.strip(index)
        made = self._make(begin, end) if wanted and end > begin else None
        if index + 1 < len(self.ends):
            self._forget(self.first_source_row(index + 1))
        return made

    def _make(self, begin: int, end: int) -> tuple[Tensor, np.ndarray]:
        down, across = self._down, self._across
        low, high = (taps[begin:end] - self._first for taps in (down.low, down.high))
        maps = _between(self._held, 1, low, high, down.weight[begin:end])
        maps = _between(maps, 2, across.low, across.high, across.weight)
        nearest = down.nearest[begin:end] - self._first
        return maps, self._valid[nearest[:, None], across.nearest]

    def _forget(self, row: int) -> None:
        count = min(row - self._first, len(self._valid))  # the next strip may begin further on
        if count > 0:
            self._held = self._held[:, count:].clone()
            self._valid = self._valid[count:].copy()
            self._first += count


class _Taps:
    """Of each map pixel along an axis: two neighbours, the second one's weight, the nearest."""

    def __init__(self, length: int, out_length: int, scale: float) -> None:
        centre = np.arange(out_length) + 0.5
        place = np.clip(centre / scale - 0.5, 0, length - 1)
        self.low = np.floor(place).astype(np.int64)
        weight = place - self.low
        # Without a weight there is no second neighbour to wait for.
        self.high = np.where(weight > 0, np.minimum(self.low + 1, length - 1), self.low)
        self.weight = weight.astype(np.float32)
        self.nearest = np.minimum((centre / scale).astype(np.int64), length - 1)


def _between(
    maps: Tensor, axis: int, low: np.ndarray, high: np.ndarray, weight: np.ndarray
) -> Tensor:
    if not weight.any():
        if np.array_equal(low, np.arange(maps.shape[axis])):
            return maps
        return maps.index_select(axis, torch.from_numpy(low).to(maps.device))
    lower, upper = (
        maps.index_select(axis, torch.from_numpy(taps).to(maps.device)) for taps in (low, high)
    )
    shape = [1, 1, 1]
    shape[axis] = -1
    return torch.lerp(lower, upper, maps.new_tensor(weight).view(shape))
