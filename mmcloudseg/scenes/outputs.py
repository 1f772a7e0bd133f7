"""The files of a scene: strips that a later run can resume from, then the finished rasters."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine

from mmcloudseg.rasters.cog import move_raster, write_cog
from mmcloudseg.rasters.geotiff import GeoTiffProfile, write_geotiff
from mmcloudseg.rasters.grids import RasterGrid
from mmcloudseg.rasters.qgis import write_style
from mmcloudseg.scenes.products import Product
from mmcloudseg.scenes.tiles import SceneLayout
from mmcloudseg.utils.errors import DataError
from mmcloudseg.utils.files import output_errors, write_text
from mmcloudseg.utils.locks import folder_lock
from mmcloudseg.version import __version__

_STATE = "state.json"


class SceneOutput:
    """The output of a scene.

    Strips lie in a hidden folder next to the map, one raster for each strip and product. A strip's
    file appears only when it is complete, so a run that is interrupted at any moment can be
    resumed.

    Args:
        out: The map.
        sources: The optical and the SAR image; None for one that is missing.
        products: What to make; the map is the first.
        quicklook: Whether a picture is made too.
        resume: Resume an interrupted run, and keep the strips if this one fails.
        overwrite: Replace existing files.

    Attributes:
        files: Final paths by product, of the map's ``style`` and of the ``quicklook``.

    Raises:
        ValueError: ``out`` is not the name of a GeoTIFF.
    """

    def __init__(
        self,
        out: Path,
        sources: Mapping[str, str | None],
        products: Sequence[Product],
        quicklook: bool = False,
        resume: bool = False,
        overwrite: bool = False,
    ) -> None:
        if out.suffix.lower() not in (".tif", ".tiff"):
            raise ValueError(f"{out}: the map is a GeoTIFF: choose a name that ends in .tif")
        self.sources, self.products = sources, products
        self.resume, self.overwrite = resume, overwrite
        self.folder = out.with_name(f".{out.name}.partial")
        names = [product.name for product in products]
        self.files = {name: out.with_name(f"{out.stem}_{name}{out.suffix}") for name in names}
        self.files |= dict(map=out, style=out.with_suffix(".qml"))
        if quicklook:
            self.files["quicklook"] = out.with_suffix(".png")

    def check(self) -> None:
        """Refuse to replace inputs and, unless they are to be overwritten, existing files.

        The map is published last. A run that was interrupted just before may have published the
        other files, which it replaces when it is resumed.

        Raises:
            ValueError: A file is an input or exists.
        """
        inputs = {os.path.realpath(source) for source in self.sources.values() if source}
        for name, path in self.files.items():
            if os.path.realpath(path) in inputs:
                raise ValueError(f"{path}: is an input; choose another name for the output")
            if path.exists() and not self.overwrite and (name == "map" or not self.resume):
                raise ValueError(
                    f"{path}: already exists; choose another name, or replace it with --overwrite"
                )

    @contextmanager
    def open(self, state: Mapping[str, Any]) -> Iterator[None]:
        """Lock the folder for strips, and remove it at the end.

        After an error it is kept for a run that resumes, and after an interrupt in any case.
        ``state`` is what determines the pixels besides the sources, as JSON.

        Raises:
            DataError: Another run holds the folder, or began it from other inputs; or it cannot
                be written.
        """
        above = [path for path in self.folder.parents if not path.exists()]
        with ExitStack() as stack:
            with output_errors(self.folder.parent):
                stack.enter_context(folder_lock(self.folder))
            try:
                self.check()  # again: another run may have ended while this one waited
                self._begin(state)
                yield
            except Exception:
                if not self.resume:
                    shutil.rmtree(self.folder)
                    for path in above:  # from the innermost on, if nothing else is in them
                        with suppress(OSError):
                            path.rmdir()
                raise
            shutil.rmtree(self.folder)

    def first_missing(self, strips: Mapping[str, Sequence[tuple[int, int]]]) -> int:
        """The first strip that is missing for any product; the number of strips if none is.

        Args:
            strips: For each product the rows of its strips, as (first, end).
        """
        for index in range(len(strips["map"])):
            for name, rows in strips.items():
                begin, end = rows[index]
                if end > begin and not self._strip(name, index).is_file():
                    return index
        return len(strips["map"])

    def write_strip(
        self, product: Product, index: int, first_row: int, grid: RasterGrid, bands: np.ndarray
    ) -> None:
        """Write a strip of a product.

        Raises:
            DataError: It could not be written, for example because the disk is full.
        """
        place = grid.transform * Affine.translation(0, first_row)
        predictor = 2 if product.dtype == "uint16" else 1
        profile = GeoTiffProfile(grid.crs, place, compress="deflate", predictor=predictor, level=1)
        with output_errors(self.folder):
            write_geotiff(self._strip(product.name, index), bands, profile)

    def join_strips(self, layout: SceneLayout, tags: Mapping[str, str]) -> dict[str, Path]:
        """Make a cloud-optimised GeoTIFF of each product's strips, and the map's ``style``.

        Args:
            layout: Rows and grids of the strips.
            tags: What they were made by; sources, time and software are added.

        Returns:
            Paths in the folder, by name.
        """
        tags = dict(
            TIFFTAG_SOFTWARE=f"mmcloudseg {__version__}",
            TIFFTAG_DATETIME=f"{datetime.now(timezone.utc):%Y:%m:%d %H:%M:%S}",
            **tags,
            **{name: _base_name(path) for name, path in self.sources.items()},
        )
        made = dict(style=self.folder / "map.qml")
        with output_errors(self.folder):
            for product in self.products:
                strips = [
                    (self._strip(product.name, index), begin, end)
                    for index, (begin, end) in enumerate(layout.strips(product))
                    if begin < end
                ]
                legend = {f"class_{index}": name for index, name in enumerate(product.categories)}
                grid, product_tags = layout.grid(product), {**tags, **legend}
                made[product.name] = write_cog(self.folder, product, grid, strips, product_tags)
            write_style(made["style"], self.products[0].categories, self.products[0].palette)
        return made

    def publish(self, made: Mapping[str, Path]) -> None:
        """Move finished files to their final paths, the map last."""
        for name in sorted(made, key=lambda name: name == "map"):
            with output_errors(self.files[name]):
                move_raster(made[name], self.files[name])

    def _strip(self, name: str, index: int) -> Path:
        return self.folder / f"{name}_{index:06d}.tif"

    def _begin(self, state: Mapping[str, Any]) -> None:
        """Start over, or resume if the folder belongs to the same run."""
        identities = {name: path and _identity(path) for name, path in self.sources.items()}
        state = json.loads(json.dumps(dict(version=__version__, **identities, **state)))
        file = self.folder / _STATE
        if self.resume and file.is_file():
            found = json.loads(file.read_text())
            for key, value in state.items():
                if found.get(key) != value:
                    raise DataError(
                        f"{self.folder}: was begun with another {key} ({found.get(key)}, now "
                        f"{value}), so it cannot be resumed. Start over without --resume."
                    )
            return
        with output_errors(self.folder):
            for entry in self.folder.iterdir():  # the folder itself is locked
                entry.unlink()
            write_text(file, json.dumps(state, indent=1))


def _identity(path: str) -> dict[str, Any]:
    """What changes when a file is replaced; of a remote one, only its path."""
    if not os.path.exists(path):
        return dict(path=path)
    stat = os.stat(path)
    return dict(path=os.path.realpath(path), bytes=stat.st_size, changed_ns=stat.st_mtime_ns)


def _base_name(path: str | None) -> str:
    return path.rstrip("/").rsplit("/", 1)[-1] if path else "none"
