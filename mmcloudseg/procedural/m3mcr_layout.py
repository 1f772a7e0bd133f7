"""Writes samples in the folders, files and lists of M3M-CR."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from mmcloudseg.procedural.mini_layout import (
    MiniLayout,
    Progress,
    check_counts,
    north_up,
    write_split_lists,
)
from mmcloudseg.procedural.mini_m3mcr import (
    LABEL_GSD_M,
    OPTICAL_GSD_M,
    SPLITS,
    Sample,
    draw_sample,
)
from mmcloudseg.rasters.geotiff import GeoTiffProfile, write_geotiff

LAYOUT = MiniLayout(
    "mini_m3mcr.json", "make_mini_m3mcr.py", SPLITS, tuple(f"{split}.csv" for split in SPLITS)
)
_PREFIXES = ("planet_cloudfree", "planet_cloudy", "S1", "landcover", "cloudmask")
"""Of folders and files, in the lists' column order."""


def write_mini_m3mcr(
    out: str | Path,
    counts: Mapping[str, int],
    seed: int = 0,
    force: bool = False,
    progress: Progress = iter,
) -> int:
    """Make the mini M3M-CR.

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
    counts = check_counts(counts, SPLITS, seed)

    def fill(root: Path) -> None:
        def write(split: str, index: int) -> str:
            return write_sample(root, draw_sample(seed, split, index))

        write_split_lists(root, counts, ".csv", write, progress)

    return LAYOUT.write(out, fill, {"seed": seed, "samples": counts}, force)


def write_sample(root: Path, sample: Sample) -> str:
    """Write the five files of a sample below ``root/split``; return its line of the list."""
    paths = []
    for prefix in _PREFIXES:
        group = f"{prefix}_{sample.season}"
        place = f"{group}_{sample.area}"
        ending = ".npy" if prefix == "cloudmask" else ".tif"
        paths.append(f"{group}/{place}/{place}_p_{sample.patch}{ending}")
    clear, cloudy, radar, labels, mask = (root / sample.split / path for path in paths)
    crs = f"EPSG:{sample.epsg}"
    optical = GeoTiffProfile(crs, north_up(sample.optical_origin, OPTICAL_GSD_M), nodata=0)
    coarse = GeoTiffProfile(crs, north_up(sample.label_origin, LABEL_GSD_M))
    write_geotiff(clear, sample.cloud_free, optical)
    write_geotiff(cloudy, sample.cloudy, optical)
    write_geotiff(radar, sample.backscatter_db, coarse)
    write_geotiff(labels, sample.land_cover, replace(coarse, interleave="band"))
    mask.parent.mkdir(parents=True, exist_ok=True)
    np.save(mask, sample.cloud_mask, allow_pickle=False)
    return ",".join(paths)
