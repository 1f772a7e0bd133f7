"""Tiny data sets, written on the fly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

CRS = "EPSG:32646"
LABEL_CODES = (10, 20, 30, 40, 50, 60, 80, 90)
SEASON = "fall"
FIRST_AREA = dict(train=1, val=101, test=201)


@pytest.fixture
def write_raster() -> Callable:
    """Write bands x rows x columns (or rows x columns) as a GeoTIFF, in strips as published."""
    return _write_raster


@pytest.fixture
def edit_raster() -> Callable:
    """Rewrite a raster: ``edit_raster(path, pixels -> pixels, **profile changes)``."""

    def edit(
        path: str | Path, change: Callable = lambda pixels: pixels, **profile: object
    ) -> None:
        with rasterio.open(path) as source:
            pixels = source.read()
            old = {key: source.profile[key] for key in ("transform", "nodata", "crs")}
        _write_raster(path, change(pixels), **{**old, **profile})

    return edit


@pytest.fixture
def make_m3mcr_tree() -> Callable:
    """Write a tree in M3M-CR's published layout with random values.

    ``make_m3mcr_tree(root, train=2, val=1, test=1, size=300, seed=0)`` returns root. Every sample
    is an area of its own: fall_1, fall_2, … in train, fall_101, … in val, fall_201, … in test.
    """
    return _make_m3mcr_tree


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


def _make_m3mcr_tree(
    root: Path, train: int = 2, val: int = 1, test: int = 1, size: int = 300, seed: int = 0
) -> Path:
    rng = np.random.default_rng(seed)
    for split, count in dict(train=train, val=val, test=test).items():
        rows = [
            _write_sample(Path(root), split, FIRST_AREA[split] + index, size, rng)
            for index in range(count)
        ]
        (Path(root) / f"{split}.csv").write_text("".join(f"{row}\n" for row in rows))
    return Path(root)


def _write_sample(root: Path, split: str, area: int, size: int, rng: np.random.Generator) -> str:
    names = {
        kind: f"{kind}_{SEASON}/{kind}_{SEASON}_{area}/{kind}_{SEASON}_{area}_p_{area + 6}{suffix}"
        for kind, suffix in dict(
            planet_cloudfree=".tif", planet_cloudy=".tif", S1=".tif", landcover=".tif",
            cloudmask=".npy",
        ).items()
    }  # fmt: skip
    folder, coarse = root / split, size * 3 // 10
    label_grid = Affine(10, 0, 760300, 0, -10, 1898410)
    mask = np.zeros((size, size), dtype=bool)
    top, left = rng.integers(0, size // 2, 2)
    mask[top : top + size // 2, left : left + size // 2] = True
    clear = rng.integers(200, 4000, (4, size, size)).astype(np.uint16)
    cloudy = np.where(mask, clear // 2 + 4000, clear).astype(np.uint16)
    backscatter = rng.normal([[[-10.0]], [[-17.0]]], 4.0, (2, coarse, coarse))
    codes = rng.choice(LABEL_CODES, (coarse, coarse)).astype(np.uint8)
    _write_raster(folder / names["planet_cloudfree"], clear, nodata=0)
    _write_raster(folder / names["planet_cloudy"], cloudy, nodata=0)
    _write_raster(folder / names["S1"], backscatter, label_grid)
    _write_raster(folder / names["landcover"], codes, label_grid)
    mask_path = folder / names["cloudmask"]
    mask_path.parent.mkdir(parents=True, exist_ok=True)
    np.save(mask_path, mask)
    return ",".join(names.values())
