"""Rasters of a few pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

CRS = "EPSG:32646"


@pytest.fixture
def write_raster() -> Callable:
    """Write bands x rows x columns (or rows x columns) as a GeoTIFF, in strips as published."""
    return _write_raster


def _write_raster(
    path: str | Path,
    pixels: np.ndarray,
    transform: Affine | None = None,
    nodata: float | None = None,
    crs: str | None = CRS,
) -> None:
    pixels = pixels[None] if pixels.ndim == 2 else pixels
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=pixels.shape[0],
        height=pixels.shape[1],
        width=pixels.shape[2],
        dtype=pixels.dtype,
        crs=crs,
        transform=transform or Affine(3, 0, 760299, 0, -3, 1898412),
        nodata=nodata,
    ) as target:
        target.write(pixels)
