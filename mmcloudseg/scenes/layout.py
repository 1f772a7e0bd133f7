"""How a scene falls into tiles and strips: known before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence

from mmcloudseg.rasters.grids import RasterGrid
from mmcloudseg.scenes.products import Product
from mmcloudseg.scenes.resampling import RowResampler
from mmcloudseg.scenes.tiles import TileAxis


class SceneLayout:
    """Tiles, and the rows of each product that every row of tiles completes.

    Args:
        optical: The optical grid.
        scale: Map pixels per optical pixel.
        tile: Optical pixels.
        overlap: Optical pixels.
    """

    def __init__(self, optical: RasterGrid, scale: float, tile: int, overlap: int) -> None:
        self.optical = optical
        self.map = optical.scaled(scale)
        self.scale = scale
        self.rows = TileAxis(optical.height, tile, overlap)
        self.columns = TileAxis(optical.width, tile, overlap)
        self._strips = self.resampler()

    def resampler(self) -> RowResampler:
        """From the optical grid's rows to the map's."""
        return RowResampler(self.rows, self.optical.shape, self.map.shape, self.scale)

    def grid(self, product: Product) -> RasterGrid:
        """The grid of a product."""
        return self.optical if product.optical_grid else self.map

    def strips(self, product: Product) -> list[tuple[int, int]]:
        """For each row of tiles the product's first row that it completes, and one past its last.

        Both are the same where it completes none.
        """
        if not product.optical_grid:
            return [self._strips.strip(index) for index in range(len(self.rows))]
        ends = [self.rows.finished(index) for index in range(len(self.rows))]
        return list(zip([0, *ends[:-1]], ends, strict=True))

    def first_row_for(self, strip: int, products: Sequence[Product]) -> int:
        """The row of tiles to begin with, so that a strip and all after it come out whole."""
        needed = self._strips.first_source_row(strip)
        if any(product.optical_grid for product in products):
            needed = min(needed, self.rows.starts[strip])
        return self.rows.first_reaching(needed)
