"""Writes samples in the folders, files and lists of M3M-CR."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import rasterio
from numpy.typing import NDArray

from mmcloudseg.datasets.simulation.mini_m3mcr import (
    LABEL_GSD_M,
    OPTICAL_GSD_M,
    SPLITS,
    Sample,
    draw_sample,
)

MARKER = "mini_m3mcr.json"
"""File that says how a folder was made, and that it may be made again."""

# In the lists' column order: folder's prefix, ending.
_FILES = (
    ("planet_cloudfree", ".tif"),
    ("planet_cloudy", ".tif"),
    ("S1", ".tif"),
    ("landcover", ".tif"),
    ("cloudmask", ".npy"),
)


def write_mini_m3mcr(
    out: str | Path,
    counts: Mapping[str, int],
    seed: int = 0,
    force: bool = False,
    progress: Callable[[list[tuple[str, int]]], Iterable[tuple[str, int]]] = iter,
) -> int:
    """Make the mini data set.

    Everything is written to a folder beside ``out`` first and moved when complete.

    Args:
        out: Folder to make; its parents are made as needed.
        counts: Number of samples of ``train``, ``val`` and ``test``.
        seed: Seed of the data set, from 0.
        force: Whether to replace the data set's files in a folder that this function did not make.
        progress: Wraps the list of (split, index) that is worked through, as ``tqdm`` does.

    Returns:
        Bytes written.

    Raises:
        FileExistsError: If ``out`` is a file, or holds something that this function did not make
            and ``force`` is not given.
        ValueError: If a split is unknown or a number negative.
    """
    out = Path(out).resolve()
    if set(counts) - set(SPLITS) or min(counts.values(), default=0) < 0 or seed < 0:
        raise ValueError(
            f"write_mini_m3mcr: expected counts of {SPLITS} and a seed, none negative, found "
            f"counts={dict(counts)}, seed={seed}"
        )
    check_target(out, force)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.parent / f".{out.name}.partial-{uuid4().hex[:8]}"
    partial.mkdir()
    try:
        _fill(partial, counts, seed, progress)
        size = sum(path.stat().st_size for path in partial.rglob("*") if path.is_file())
        _install(partial, out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return size


def check_target(out: Path, force: bool = False) -> None:
    """Raise ``FileExistsError`` if a data set must not be written to a folder."""
    if out.exists() and not out.is_dir():
        raise FileExistsError(f"{out}: expected a folder, found a file; name another folder")
    foreign = out.is_dir() and any(out.iterdir()) and not (out / MARKER).is_file()
    if foreign and not force:
        raise FileExistsError(
            f"{out}: the folder is not empty and has no {MARKER}, so it was not made by "
            "make_mini_m3mcr.py; name another folder, or give --force to replace "
            f"{', '.join(_names())} in it"
        )


def write_sample(root: Path, sample: Sample) -> str:
    """Write the five files of a sample below ``root/split``.

    Returns:
        The sample's line for the list file, without line end.
    """
    paths = []
    for prefix, ending in _FILES:
        group = f"{prefix}_{sample.season}"
        place = f"{group}_{sample.area}"
        paths.append(f"{group}/{place}/{place}_p_{sample.patch}{ending}")
    clear, cloudy, radar, labels, mask = (root / sample.split / path for path in paths)
    clear.parent.mkdir(parents=True, exist_ok=True)
    for path in (cloudy, radar, labels, mask):
        path.parent.mkdir(parents=True, exist_ok=True)
    optical = dict(
        crs=f"EPSG:{sample.epsg}",
        transform=_north_up(sample.optical_origin, OPTICAL_GSD_M),
        nodata=0,
    )
    coarse = dict(
        crs=optical["crs"],
        transform=_north_up(sample.label_origin, LABEL_GSD_M),
    )
    _write_raster(clear, sample.cloud_free, **optical)
    _write_raster(cloudy, sample.cloudy, **optical)
    _write_raster(radar, sample.backscatter_db, **coarse)
    _write_raster(labels, sample.land_cover[None], **coarse)
    np.save(mask, sample.cloud_mask, allow_pickle=False)
    return ",".join(paths)


def _north_up(origin: tuple[int, int], gsd_m: int) -> rasterio.Affine:
    return rasterio.Affine(gsd_m, 0, origin[0], 0, -gsd_m, origin[1])


def _write_raster(path: Path, bands: NDArray[Any], **profile: Any) -> None:
    count, height, width = bands.shape
    # M3M-CR's own interleaving; the strips' heights are GDAL's defaults there too.
    interleave = "pixel" if count > 1 else "band"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        dtype=bands.dtype,
        count=count,
        height=height,
        width=width,
        interleave=interleave,
        **profile,
    ) as raster:
        raster.write(bands)


def _fill(
    root: Path,
    counts: Mapping[str, int],
    seed: int,
    progress: Callable[[list[tuple[str, int]]], Iterable[tuple[str, int]]],
) -> None:
    lines: dict[str, list[str]] = {split: [] for split in SPLITS}
    todo = [(split, index) for split in SPLITS for index in range(counts.get(split, 0))]
    for split in SPLITS:
        (root / split).mkdir()
    with rasterio.Env():
        for split, index in progress(todo):
            lines[split].append(write_sample(root, draw_sample(seed, split, index)))
    for split in SPLITS:
        (root / f"{split}.csv").write_text("".join(line + "\n" for line in lines[split]))
    recipe = {"seed": seed, "samples": {split: len(lines[split]) for split in SPLITS}}
    (root / MARKER).write_text(json.dumps(recipe, indent=2) + "\n")


def _names() -> list[str]:
    return [*SPLITS, *(f"{split}.csv" for split in SPLITS)]


def _install(partial: Path, out: Path) -> None:
    """Move a complete data set to its name; other files that lie there stay."""
    if not out.exists():
        os.rename(partial, out)
        return
    discarded = partial / "replaced"
    discarded.mkdir()
    # The marker comes last: a folder that has it is complete.
    (out / MARKER).unlink(missing_ok=True)
    for name in [*_names(), MARKER]:
        if (out / name).exists():
            os.rename(out / name, discarded / name)
        os.rename(partial / name, out / name)
