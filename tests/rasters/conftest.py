"""Rasters of a few pixels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp


@pytest.fixture
def write_raster(tmp_path) -> Callable:
    """``write_raster(name, bands, pixel=3.0, mask=None, alpha=None, **profile)`` returns a path.

    Bands x rows x columns, or rows x columns; ``mask`` (true = data) becomes an internal mask,
    ``alpha`` (the same) one more band.
    """

    def write(name, bands, pixel=3.0, mask=None, alpha=None, **profile):
        bands = bands[None] if bands.ndim == 2 else bands
        count = len(bands)
        if alpha is not None:
            bands = np.concatenate([bands, np.where(alpha, 255, 0)[None].astype(bands.dtype)])
        settings = dict(
            driver="GTiff",
            crs="EPSG:32632",
            transform=Affine(pixel, 0, 600_000, 0, -pixel, 5_400_000),
            dtype=bands.dtype,
            count=len(bands),
            height=bands.shape[1],
            width=bands.shape[2],
        )
        path = str(tmp_path / name)
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
            rasterio.open(path, "w", **{**settings, **profile}) as raster,
        ):
            if alpha is not None:
                others = [ColorInterp.undefined] * (count - 1)
                raster.colorinterp = [ColorInterp.gray, *others, ColorInterp.alpha]
            raster.write(bands)
            if mask is not None:
                raster.write_mask(mask)
        return path

    return write
