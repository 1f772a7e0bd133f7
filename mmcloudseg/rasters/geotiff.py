"""GeoTIFFs that appear when they are complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from rasterio.crs import CRS
from rasterio.io import MemoryFile

from mmcloudseg.rasters.reading import raster_session
from mmcloudseg.utils.files import atomic_write


@dataclass(frozen=True)
class GeoTiffProfile:
    """What a GeoTIFF holds apart from its pixels, and how they are stored.

    Attributes:
        crs: Coordinate reference system, None for none.
        transform: Geotransform, None for none.
        nodata: Value of pixels without data, None for none.
        compress: GDAL's name of a compression, None for none.
        predictor: 2 stores differences between neighbouring integers, 3 between floats; images
            take less space then, maps of codes do not. 1 stores values.
        level: Of deflate, 1 (fast) to 9 (small).
        interleave: ``'pixel'`` or ``'band'``; None leaves it to GDAL.
        tiled: Blocks of 256 x 256 pixels instead of rows.
        palette: RGB colours of the values from 0, of a map of one band.
        band_tags: Metadata of the first band.
    """

    crs: CRS | str | None = None
    transform: Affine | None = None
    nodata: float | None = None
    compress: str | None = None
    predictor: int = 1
    level: int = 6
    interleave: str | None = None
    tiled: bool = False
    palette: Sequence[Sequence[int]] = ()
    band_tags: Mapping[str, str] = field(default_factory=dict)

    def options(self) -> dict[str, Any]:
        """The arguments of ``rasterio.open``."""
        place = dict(crs=self.crs, transform=self.transform, nodata=self.nodata)
        options = dict(place, bigtiff="if_safer", tiled=self.tiled)
        if self.interleave:
            options["interleave"] = self.interleave
        if self.compress:
            options |= dict(compress=self.compress, predictor=self.predictor, zlevel=self.level)
        return options


def write_geotiff(path: Path, bands: np.ndarray, profile: GeoTiffProfile | None = None) -> None:
    """Write a GeoTIFF, and its folder if there is none.

    The file is made in memory: GDAL may report a full disk on its own error stream only.

    Args:
        path: The file.
        bands: Bands x rows x columns, or rows x columns for one band.
        profile: Everything but the pixels; by default nothing, uncompressed.

    Raises:
        OSError: It cannot be written; the error names it.
    """
    profile = profile or GeoTiffProfile()
    bands = bands[None] if bands.ndim == 2 else bands
    shape = dict(zip(("count", "height", "width"), bands.shape, strict=True))
    with raster_session(), MemoryFile() as memory:
        options = dict(shape, driver="GTiff", dtype=bands.dtype, **profile.options())
        with memory.open(**options) as raster:
            raster.write(bands)
            if profile.palette:
                colours = {i: (*colour, 255) for i, colour in enumerate(profile.palette)}
                raster.write_colormap(1, colours)
            raster.update_tags(1, **profile.band_tags)
        content = memory.read()
        try:
            with atomic_write(path) as temporary:
                temporary.write_bytes(content)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(path)) from error
