"""Overlapping tiles along one axis of a scene, and how much each counts where they overlap."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from mmcloudseg.models.segmentors.windows import window_spans


@dataclass(frozen=True)
class TileAxis:
    """Tiles along rows or columns.

    A last tile that would stick out is shifted inside. Weights rise from an edge over the overlap
    as a squared sine and add up to 1 over the tiles that hold a pixel, so no edge shows.

    Args:
        length: Pixels of the scene.
        tile: Pixels of a tile.
        overlap: Pixels that neighbours share, less than ``tile``.

    Attributes:
        padded: Pixels that the tiles cover: ``length``, or ``tile`` if that is more.
        starts: First pixel of each tile.
    """

    length: int
    tile: int
    overlap: int
    padded: int = field(init=False)
    starts: tuple[int, ...] = field(init=False)
    _weights: np.ndarray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < self.tile:
            raise ValueError(
                f"tiles of {self.tile} pixels cannot overlap by {self.overlap}: choose an overlap "
                "from 0 to less than the tile"
            )
        padded = max(self.length, self.tile)
        spans = window_spans(padded, self.tile, self.tile - self.overlap)
        starts = tuple(span.start for span in spans)
        object.__setattr__(self, "padded", padded)
        object.__setattr__(self, "starts", starts)
        ramp = edge_ramp(self.tile, self.overlap)
        total = np.zeros(padded)
        for start in starts:
            total[start : start + self.tile] += ramp
        weights = np.stack([ramp / total[start : start + self.tile] for start in starts])
        object.__setattr__(self, "_weights", weights.astype(np.float32))

    def __len__(self) -> int:
        return len(self.starts)

    def weights(self, index: int) -> np.ndarray:
        """What each pixel of a tile counts, shape (tile,), float32."""
        return self._weights[index]

    def finished(self, index: int) -> int:
        """How many pixels from the start no tile after this one reaches, within the scene."""
        end = self.starts[index + 1] if index + 1 < len(self) else self.length
        return min(end, self.length)

    def first_reaching(self, pixel: int) -> int:
        """The first tile that holds this pixel or one after it."""
        return next(i for i, start in enumerate(self.starts) if start + self.tile > pixel)


def edge_ramp(tile: int, overlap: int) -> np.ndarray:
    """Weights of a tile's pixels before they are normalised: 1, falling towards both ends."""
    ramp = np.ones(tile)
    width = min(overlap, tile // 2)
    if width:
        rise = np.sin((np.arange(width) + 0.5) * math.pi / (2 * width)) ** 2
        ramp[:width] = rise
        ramp[-width:] = rise[::-1]
    return ramp
