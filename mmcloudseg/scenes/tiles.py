"""How a scene is divided into overlapping tiles, and which rows of the map each of them completes.

Everything here is known before any pixel is computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mmcloudseg.models.segmentors.windows import window_spans
from mmcloudseg.rasters.grids import RasterGrid
from mmcloudseg.scenes.products import Product


@dataclass(frozen=True)
class TileAxis:
    """Tiles along the rows or columns of a scene.

    A last tile that would extend beyond the scene is shifted inside. Weights rise from an edge
    over the overlap as a squared sine, and sum to 1 over the tiles that cover a pixel, so that no
    seam shows.

    Args:
        length: Pixels of the scene.
        tile: Pixels of a tile.
        overlap: Pixels that neighbours share, less than ``tile``.

    Attributes:
        padded: Pixels that the tiles cover: ``length``, or ``tile`` if that is more.
        starts: First pixel of each tile.

    Raises:
        ValueError: The overlap does not fit the tile.
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
                "of at least 0 and less than the tile"
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
        """Weight of each pixel of a tile, shape (tile,), float32."""
        return self._weights[index]

    def finished(self, index: int) -> int:
        """Number of pixels of the scene, from its start, that no tile after this one covers."""
        end = self.starts[index + 1] if index + 1 < len(self) else self.length
        return min(end, self.length)

    def first_reaching(self, pixel: int) -> int:
        """The first tile that covers this pixel or one after it."""
        return next(i for i, start in enumerate(self.starts) if start + self.tile > pixel)


def edge_ramp(tile: int, overlap: int) -> np.ndarray:
    """Weights of a tile's pixels before normalisation: 1, falling towards both ends."""
    ramp = np.ones(tile)
    width = min(overlap, tile // 2)
    if width:
        rise = np.sin((np.arange(width) + 0.5) * math.pi / (2 * width)) ** 2
        ramp[:width] = rise
        ramp[-width:] = rise[::-1]
    return ramp


class LinearTaps:
    """Which optical pixels each map pixel is interpolated from, along one axis.

    Args:
        length: Optical pixels.
        out_length: Map pixels.
        scale: Map pixels per optical pixel.

    Attributes:
        low: The neighbour before the map pixel's centre.
        high: The neighbour after it; ``low`` where its weight is 0.
        weight: Weight of ``high``, float32.
        nearest: The optical pixel that holds the centre.
    """

    def __init__(self, length: int, out_length: int, scale: float) -> None:
        centre = np.arange(out_length) + 0.5
        place = np.clip(centre / scale - 0.5, 0, length - 1)
        self.low = np.floor(place).astype(np.int64)
        weight = place - self.low
        # Without a weight there is no second neighbour to wait for.
        self.high = np.where(weight > 0, np.minimum(self.low + 1, length - 1), self.low)
        self.weight = weight.astype(np.float32)
        self.nearest = np.minimum((centre / scale).astype(np.int64), length - 1)


class SceneLayout:
    """The tiles of a scene, and the strip of each product that every row of tiles completes.

    Args:
        optical: The optical grid.
        scale: Map pixels per optical pixel.
        tile: Tile size in optical pixels.
        overlap: Optical pixels that neighbouring tiles share.

    Attributes:
        rows: Tiles along the rows of the optical grid.
        columns: Tiles along its columns.
        map: The map's grid.
        down: From the optical grid's rows to the map's.
        across: From its columns to the map's.
    """

    def __init__(self, optical: RasterGrid, scale: float, tile: int, overlap: int) -> None:
        self.optical, self.map, self.scale = optical, optical.scaled(scale), scale
        self.rows = TileAxis(optical.height, tile, overlap)
        self.columns = TileAxis(optical.width, tile, overlap)
        self.down = LinearTaps(optical.height, self.map.height, scale)
        self.across = LinearTaps(optical.width, self.map.width, scale)

    def grid(self, product: Product) -> RasterGrid:
        """The grid of a product."""
        return self.optical if product.optical_grid else self.map

    def strips(self, product: Product) -> list[tuple[int, int]]:
        """Rows of a product that each row of tiles completes, as (first, end).

        Both are the same if it completes none.
        """
        if product.optical_grid:
            ends = [self.rows.finished(index) for index in range(len(self.rows))]
            return list(zip([0, *ends[:-1]], ends, strict=True))
        return self.map_strips()

    def map_strips(self) -> list[tuple[int, int]]:
        """Rows of the map that each row of tiles completes, as in :meth:`strips`."""
        finished = [self.rows.finished(index) for index in range(len(self.rows))]
        # A row of the map is complete when the lower row that it is made of is finished.
        ends = np.searchsorted(self.down.high, finished, side="left").tolist()
        ends[-1] = self.map.height
        return list(zip([0, *ends[:-1]], ends, strict=True))

    def first_source_row(self, begin: int, end: int) -> int:
        """First optical row that a strip of the map, ``[begin, end)``, is made of."""
        if begin == end:
            return int(self.down.low[min(begin, len(self.down.low) - 1)])
        return min(int(self.down.low[begin]), int(self.down.nearest[begin]))

    def first_row_for(self, strip: int, products: Sequence[Product]) -> int:
        """The row of tiles to start with, so that this strip and all later ones are complete."""
        needed = self.first_source_row(*self.map_strips()[strip])
        if any(product.optical_grid for product in products):
            needed = min(needed, self.rows.starts[strip])
        return self.rows.first_reaching(needed)
