"""Mapping a scene's tiles to strips: reading, network and writing side by side."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor
from tqdm import tqdm

from mmcloudseg.rasters.scene_raster import SceneRaster
from mmcloudseg.scenes.blending import RowBlender
from mmcloudseg.scenes.layout import SceneLayout
from mmcloudseg.scenes.network import TileNetwork
from mmcloudseg.scenes.prefetch import Background, prefetch
from mmcloudseg.scenes.products import Product, from_image, from_logits
from mmcloudseg.scenes.reader import TileReader
from mmcloudseg.scenes.strips import StripFolder


class SceneMapping:
    """Makes the strips of a scene that are not there yet.

    Args:
        network: The model.
        pair: The optical image and, if there is one, SAR on its grid.
        layout: Tiles and strips.
        wanted: What is made.
        folder: Where strips lie.
        batch_size: Tiles per forward pass.
    """

    def __init__(
        self,
        network: TileNetwork,
        pair: tuple[SceneRaster, SceneRaster | None],
        layout: SceneLayout,
        wanted: Sequence[Product],
        folder: StripFolder,
        batch_size: int,
    ) -> None:
        self.network, self.pair, self.layout = network, pair, layout
        self.wanted, self.folder, self.batch_size = wanted, folder, batch_size
        self.strips = {product.name: layout.strips(product) for product in wanted}
        self.restore = "cloud_free" in self.strips

    def run(self, progress: bool = True) -> int:
        """Map tiles until all strips are there.

        Args:
            progress: Show a bar.

        Returns:
            How many tiles were mapped.

        Raises:
            DataError: A raster cannot be read, or a strip not be written.
        """
        layout, network = self.layout, self.network
        missing = self.folder.first_missing(self.wanted, self.strips)
        if missing == len(layout.rows):
            return 0
        first_row = layout.first_row_for(missing, self.wanted)
        reader = TileReader(
            *self.pair,
            network.about.modalities,
            network.about.counts,
            layout.rows,
            layout.columns,
            self.batch_size,
        )
        channels = network.channels
        channels += network.about.counts["optical"] if self.restore else 0
        blender = RowBlender(layout.rows, layout.columns, channels, network.device, first_row)
        resampler, mapped = layout.resampler(), 0
        chunks = prefetch(reader.read, reader.jobs(first_row))
        # Closed: after an error no thread may go on reading rasters that are closed next.
        with (
            contextlib.closing(chunks),
            Background() as writer,
            self._bar(first_row, progress) as bar,
        ):
            for chunk in chunks:
                blender.add_valid(chunk.start, chunk.valid)
                if len(chunk.columns):
                    maps = network(chunk.tiles, self.restore)
                    for column, tile in zip(chunk.columns, maps, strict=True):
                        blender.add(column, tile)
                mapped += len(chunk.columns)
                bar.update(chunk.count)
                if not chunk.last:
                    continue
                row, (maps, valid) = chunk.row, blender.finish_row()
                fresh = row >= missing
                logits = maps[: network.channels]
                start = layout.rows.starts[row]
                on_map = resampler.feed(row, start, logits, valid, wanted=fresh)
                if fresh:
                    arrays = self._arrays(on_map, maps[network.channels :], valid)
                    for product in self.wanted:
                        if product.name in arrays:
                            writer.submit(self._write, product, row, arrays[product.name])
        return mapped

    def _arrays(
        self, on_map: tuple[Tensor, np.ndarray] | None, image: Tensor, valid: np.ndarray
    ) -> dict[str, np.ndarray]:
        """The products' pixels of a strip."""
        arrays = {}
        if on_map is not None:
            arrays = from_logits(*on_map, list(self.strips), self.network.threshold)
        if self.restore:
            about = self.network.about
            ends = about.low["optical"], about.high["optical"]
            arrays["cloud_free"] = from_image(image, valid, *ends)
        return arrays

    def _write(self, product: Product, index: int, bands: np.ndarray) -> None:
        begin = self.strips[product.name][index][0]
        self.folder.write(product, index, begin, self.layout.grid(product), bands)

    def _bar(self, first_row: int, progress: bool) -> tqdm:
        columns = len(self.layout.columns)
        return tqdm(
            total=len(self.layout.rows) * columns,
            initial=first_row * columns,
            desc=Path(self.pair[0].path).name,
            unit="tile",
            dynamic_ncols=True,
            disable=not progress,
        )
