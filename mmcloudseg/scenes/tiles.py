"""How a scene is divided into overlapping tiles, and which rows of the map each of them completes.

Everything here is known before any pixel is computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from mmcloudseg.models.segmentors.windows import window_spans
from mmcloudseg.rasters.grids import RasterGrid
from mmcloudseg.scenes.products import Product


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
        weights: Weight of each pixel of each tile, tiles x pixels, float32.

    Raises:
        ValueError: The overlap does not fit the tile.
    """

    def __init__(self, length: int, tile: int, overlap: int) -> None:
        if not 0 <= overlap < tile:
            raise ValueError(
                f"tiles of {tile} pixels cannot overlap by {overlap}: choose an overlap of at "
                "least 0 and less than the tile"
            )
        self.length, self.tile, self.overlap = length, tile, overlap
        self.padded = max(length, tile)
        self.starts = [span.start for span in window_spans(self.padded, tile, tile - overlap)]
        ramp = edge_ramp(tile, overlap)
        total = np.zeros(self.padded)
        for start in self.starts:
            total[start : start + tile] += ramp
        weights = np.stack([ramp / total[start : start + tile] for start in self.starts])
        self.weights = weights.astype(np.float32)

    def __len__(self) -> int:
        return len(self.starts)

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
        map: The map's grid.
        rows: Tiles along the rows of the optical grid.
        columns: Tiles along its columns.
        down: From the optical grid's rows to the map's.
        across: From its columns to the map's.
        map_strips: Rows of the map that each row of tiles completes, as in :meth:`strips`.
    """

    def __init__(self, optical: RasterGrid, scale: float, tile: int, overlap: int) -> None:
        self.optical, self.map, self.scale = optical, optical.scaled(scale), scale
        self.rows = TileAxis(optical.height, tile, overlap)
        self.columns = TileAxis(optical.width, tile, overlap)
        self.down = LinearTaps(optical.height, self.map.height, scale)
        self.across = LinearTaps(optical.width, self.map.width, scale)
        finished = [self.rows.finished(index) for index in range(len(self.rows))]
        # A row of the map is complete when the lower row that it is made of is finished.
        ends = np.searchsorted(self.down.high, finished, side="left").tolist()
        self._optical_strips = list(pairwise([0, *finished]))
        self.map_strips = list(pairwise([0, *ends[:-1], self.map.height]))

    def grid(self, product: Product) -> RasterGrid:
        """The grid of a product."""
        return self.optical if product.optical_grid else self.map

    def strips(self, product: Product) -> list[tuple[int, int]]:
        """Rows of a product that each row of tiles completes, as (first, end); perhaps none."""
        return self._optical_strips if product.optical_grid else self.map_strips

    def first_source_row(self, begin: int, end: int) -> int:
        """First optical row that a strip of the map, ``[begin, end)``, is made of."""
        if begin == end:
            return int(self.down.low[min(begin, len(self.down.low) - 1)])
        return min(int(self.down.low[begin]), int(self.down.nearest[begin]))

    def first_row_for(self, strip: int, products: Sequence[Product]) -> int:
        """The row of tiles to start with, so that this strip and all later ones are complete."""
        needed = self.first_source_row(*self.map_strips[strip])
        if any(product.optical_grid for product in products):
            needed = min(needed, self.rows.starts[strip])
        return self.rows.first_reaching(needed)
