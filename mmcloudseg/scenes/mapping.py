"""Maps the tiles of a scene: reading, the network and writing run in parallel."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from rasterio.windows import Window
from torch import Tensor
from tqdm import tqdm

from mmcloudseg.scenes.blending import RowBlender, RowResampler
from mmcloudseg.scenes.inputs import SceneImages
from mmcloudseg.scenes.network import TileNetwork
from mmcloudseg.scenes.outputs import SceneOutput
from mmcloudseg.scenes.products import Product, from_image, from_logits
from mmcloudseg.scenes.tiles import SceneLayout

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Chunk:
    """Neighbouring tiles of one row of tiles.

    Attributes:
        row: The row of tiles.
        start: First column of the optical grid.
        valid: Tile rows x columns, True where the optical image has data.
        count: Number of tiles.
        columns: The tiles that hold data; the others are not mapped.
        tiles: Those tiles, N x bands x tile x tile, float32, raw values.
        last: Whether the row of tiles ends here.
    """

    row: int
    start: int
    valid: np.ndarray
    count: int
    columns: Sequence[int]
    tiles: np.ndarray
    last: bool


@dataclass(frozen=True)
class SceneMapping:
    """Makes the strips of a scene that do not exist yet, ``batch_size`` tiles at a time."""

    network: TileNetwork
    images: SceneImages
    layout: SceneLayout
    output: SceneOutput
    batch_size: int

    def run(self, progress: bool = True) -> int:
        """Map tiles until all strips exist; returns how many were mapped.

        Raises:
            DataError: A raster cannot be read, or a strip cannot be written.
        """
        layout, network, products = self.layout, self.network, self.output.products
        missing = self.output.first_missing({p.name: layout.strips(p) for p in products})
        if missing == len(layout.rows):
            return 0
        first_row = layout.first_row_for(missing, products)
        channels = network.channels
        channels += network.description.counts["optical"] if self._restore else 0
        blender = RowBlender(layout, channels, network.device, first_row)
        resampler, mapped = RowResampler(layout), 0
        writes: list[Future] = []
        firsts = range(0, len(layout.columns), self.batch_size)
        chunks = read_ahead(
            self._read, itertools.product(range(first_row, len(layout.rows)), firsts)
        )
        # Closed: after an error no thread may go on reading rasters that are closed next.
        with (
            closing(chunks),
            ThreadPoolExecutor(1, "write") as writer,
            self._bar(first_row, progress) as bar,
        ):
            for chunk in chunks:
                blender.add_valid(chunk.start, chunk.valid)
                if chunk.columns:
                    maps = network(chunk.tiles, self._restore)
                    for column, tile in zip(chunk.columns, maps, strict=True):
                        blender.add(column, tile)
                mapped += len(chunk.columns)
                bar.update(chunk.count)
                if chunk.last:
                    maps, valid = blender.finish_row()
                    wanted = chunk.row >= missing
                    on_map = resampler.feed(chunk.row, maps[: network.channels], valid, wanted)
                    if wanted:
                        arrays = self._arrays(on_map, maps[network.channels :], valid)
                        _wait_for(writes)  # so that no more than one row of tiles waits
                        writes = [
                            writer.submit(self._write, product, chunk.row, arrays[product.name])
                            for product in products
                            if product.name in arrays
                        ]
            _wait_for(writes)
        return mapped

    @property
    def _restore(self) -> bool:
        return any(product.name == "cloud_free" for product in self.output.products)

    def _read(self, job: tuple[int, int]) -> Chunk:
        (row, first), rows, columns = job, self.layout.rows, self.layout.columns
        numbers = range(first, min(first + self.batch_size, len(columns)))
        start, stop = columns.starts[first], columns.starts[numbers[-1]] + columns.tile
        image, valid = self.images.read(Window(start, rows.starts[row], stop - start, rows.tile))
        lefts = {number: columns.starts[number] - start for number in numbers}
        spans = {number: slice(left, left + columns.tile) for number, left in lefts.items()}
        held = [number for number, span in spans.items() if valid[:, span].any()]
        parts = [] if image is None else [image[:, :, spans[number]] for number in held]
        tiles = np.stack(parts) if parts else np.empty(0)
        return Chunk(row, start, valid, len(numbers), held, tiles, numbers[-1] == len(columns) - 1)

    def _arrays(
        self, on_map: tuple[Tensor, np.ndarray] | None, image: Tensor, valid: np.ndarray
    ) -> dict[str, np.ndarray]:
        """The products' pixels of a strip."""
        arrays = {}
        if on_map is not None:
            names = [product.name for product in self.output.products]
            arrays = from_logits(*on_map, names, self.network.threshold)
        if self._restore:
            description = self.network.description
            ends = description.low["optical"], description.high["optical"]
            arrays["cloud_free"] = from_image(image, valid, *ends)
        return arrays

    def _write(self, product: Product, index: int, bands: np.ndarray) -> None:
        begin = self.layout.strips(product)[index][0]
        self.output.write_strip(product, index, begin, self.layout.grid(product), bands)

    def _bar(self, first_row: int, progress: bool) -> tqdm:
        columns = len(self.layout.columns)
        return tqdm(
            total=len(self.layout.rows) * columns,
            initial=first_row * columns,
            desc=Path(self.images.optical.path).name,
            unit="tile",
            dynamic_ncols=True,
            disable=not progress,
        )


def read_ahead(
    call: Callable[[Item], Result], items: Iterable[Item], ahead: int = 2
) -> Generator[Result, None, None]:
    """Yield a function's results in order, called in a thread at most ``ahead`` items ahead.

    An error of the function is raised in place of its result. ``Executor.map`` has no such limit
    before Python 3.14.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(1, "read") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(call, item))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _wait_for(futures: Iterable[Future]) -> None:
    for future in futures:
        future.result()
