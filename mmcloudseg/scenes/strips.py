"""A scene's finished strips on disk, from which a stopped run goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine

from mmcloudseg.rasters.geotiff import GeoTiffProfile, write_geotiff
from mmcloudseg.rasters.grids import RasterGrid
from mmcloudseg.scenes.products import Product
from mmcloudseg.utils.errors import DataError
from mmcloudseg.utils.files import atomic_write

_STATE = "state.json"


class StripFolder:
    """A hidden folder beside the map with a raster for each strip and product.

    A strip's file appears when it is whole, so what is there may be relied on after any stop.

    Args:
        out: The map's final name.
        state: What decides the pixels (files, checkpoint, settings), as JSON.
    """

    def __init__(self, out: Path, state: Mapping[str, Any]) -> None:
        self.path = folder_of(out)
        self._state = json.loads(json.dumps(state))

    def begin(self, resume: bool) -> None:
        """Start afresh, or go on if the folder is of the same run.

        Raises:
            DataError: It was begun from something else, or cannot be written to.
        """
        file = self.path / _STATE
        if resume and file.is_file():
            found = json.loads(file.read_text())
            other = [key for key in self._state if found.get(key) != self._state[key]]
            if other:
                key = other[0]
                raise DataError(
                    f"{self.path}: was begun with another {key} ({found.get(key)}, now "
                    f"{self._state[key]}), so it cannot be resumed. Start afresh without --resume."
                )
            return
        try:
            self.clear()
            with atomic_write(file) as temporary:
                temporary.write_text(json.dumps(self._state, indent=1))
        except OSError as error:
            raise unwritable(self.path, error) from error

    def clear(self) -> None:
        """Remove everything in the folder."""
        for entry in self.path.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def remove(self) -> None:
        """Remove the folder and everything in it."""
        self.clear()
        self.path.rmdir()

    def file(self, product: Product, index: int) -> Path:
        """Where a product's strip lies."""
        return self.path / f"{product.name}_{index:06d}.tif"

    def first_missing(
        self, products: Sequence[Product], rows: Mapping[str, Sequence[tuple[int, int]]]
    ) -> int:
        """The first strip of which a product is missing; their number if none is.

        Args:
            products: What is made.
            rows: For each product its strips' first rows and ends.
        """
        count = len(rows[products[0].name])
        for index in range(count):
            for product in products:
                begin, end = rows[product.name][index]
                if end > begin and not self.file(product, index).is_file():
                    return index
        return count

    def write(
        self, product: Product, index: int, first_row: int, grid: RasterGrid, bands: np.ndarray
    ) -> None:
        """Write a strip.

        Raises:
            DataError: It could not be written, as when the disk is full.
        """
        path = self.file(product, index)
        profile = GeoTiffProfile(
            crs=grid.crs,
            transform=grid.transform * Affine.translation(0, first_row),
            compress="deflate",
            predictor=2 if product.dtype == "uint16" else 1,
            level=1,
        )
        with output_errors(path.parent):
            write_geotiff(path, bands, profile)


def folder_of(out: Path) -> Path:
    """The folder of a map's strips."""
    return out.with_name(f".{out.name}.partial")


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turn a failure to write an output into a :class:`DataError` that names it."""
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: Exception) -> DataError:
    """The error for an output that cannot be written."""
    free = ""
    if path.is_dir():
        free = f", {shutil.disk_usage(path).free / 1e6:.0f} MB are free there"
    return DataError(
        f"{path}: cannot be written ({str(error).splitlines()[0]}{free}). Free space, or choose "
        "another --out."
    )
