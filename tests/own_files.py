"""Files such as users bring along, on grids of their own; what they show depends on the place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio.warp import transform as reproject

CRS = "EPSG:32650"
CORNER = (500_000, 4_000_000)
SIDE_M = 2160
CLASS_CODES = (1, 2, 3, 4)
STRIPE_M = SIDE_M / len(CLASS_CODES)


def write(path, pixels, pixel_m=10.0, corner=CORNER, crs=CRS, **profile):
    """Write bands x rows x columns, or rows x columns, with square pixels.

    ``scales``, ``offsets``, ``descriptions`` and ``tags`` are those of the file, which has no
    georeference if ``crs`` is None.
    """
    pixels = pixels[None] if pixels.ndim == 2 else pixels
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ("scales", "offsets", "descriptions")
    after = {key: profile.pop(key) for key in names if key in profile}
    tags = profile.pop("tags", {})
    transform = Affine(pixel_m, 0, corner[0], 0, -pixel_m, corner[1])
    grid = dict(crs=crs, transform=transform) if crs else {}
    size = dict(count=len(pixels), height=pixels.shape[1], width=pixels.shape[2])
    with rasterio.open(
        path, "w", driver="GTiff", dtype=pixels.dtype, **size, **grid, **profile
    ) as file:
        file.write(pixels)
        file.update_tags(**tags)
        for key, value in after.items():
            setattr(file, key, value)


def places(pixel_m, corner, side, crs, ground):
    """East and north in ``CRS``, from the corner ``ground``, of a grid's pixel centres."""
    steps = (np.arange(side) + 0.5) * pixel_m
    east, north = np.meshgrid(corner[0] + steps, corner[1] - steps)
    if crs != CRS:
        shape = east.shape
        east, north = map(np.array, reproject(crs, CRS, east.ravel(), north.ravel()))
        east, north = east.reshape(shape), north.reshape(shape)
    return east - ground[0], north - ground[1]


def label_codes(east):
    """Four stripes from west to east, and no data beyond them."""
    stripe = np.floor(east / STRIPE_M).astype(int)
    return np.where((stripe >= 0) & (stripe < 4), stripe + 1, 0).astype(np.uint8)


def backscatter_db(north):
    """Two halves, -11 dB in the north and -19 dB in the south."""
    return np.where(north > -SIDE_M / 2, -11.0, -19.0)


def write_your_data(root, names=("a", "b", "c", "d")):
    """What configs/_base_/datasets/your_data.py describes: optical 10 m, SAR 20 m, labels 30 m.

    The samples lie 10 km apart. SAR is linear and on a larger ground in the next zone, labels are
    in geographic coordinates, masks are Sentinel-2's scene classification.
    """
    rng, side = np.random.default_rng(0), SIDE_M // 10
    for index, name in enumerate(names):
        ground = (CORNER[0] + 10_000 * index, CORNER[1])
        for folder in ("optical", "clear"):
            pixels = rng.integers(300, 4000, (4, side, side)).astype(np.uint16)
            write(root / folder / f"{name}.tif", pixels, corner=ground)
        _write_elsewhere(root / "sar" / f"{name}.tif", 20.0, "EPSG:32651", ground, _power)
        _write_elsewhere(
            root / "labels" / f"{name}.tif", 30.0 / 100_000, "EPSG:4326", ground, _labels
        )
        mask = rng.choice((4, 5, 9), (side // 2, side // 2)).astype(np.uint8)
        write(root / "cloud_masks" / f"{name}.tif", mask, 20.0, ground)
    for split, chosen in dict(train=names[:2], val=names[2:3], test=names[3:]).items():
        (root / f"{split}.txt").write_text("\n".join(chosen))
    return root


def _power(east, north):
    band = 10 ** (backscatter_db(north) / 10)
    return np.stack([band, band / 5]).astype(np.float32)


def _labels(east, north):
    return label_codes(east)


def _write_elsewhere(path, pixel, crs, ground, draw):
    """A file in another reference system, with a margin around the ground."""
    bounds = np.array([(0, 0), (SIDE_M, 0), (0, -SIDE_M), (SIDE_M, -SIDE_M)]) + ground
    x, y = map(np.array, reproject(CRS, crs, *bounds.T))
    corner = (x.min() - 5 * pixel, y.max() + 5 * pixel)
    side = int(max(np.ptp(x), np.ptp(y)) / pixel) + 10
    write(path, draw(*places(pixel, corner, side, crs, ground)), pixel, corner, crs)
