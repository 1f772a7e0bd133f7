"""Patches of LuojiaSET-OSFCR in the published layout, with random values."""

from pathlib import Path

import numpy as np
from affine import Affine
from mmseg.registry import DATASETS

LOADING = [dict(type="LoadRasters"), dict(type="PackCloudSegInputs")]
BINS = ("0-20%", "20%-40%", "40%-60%", "60%-80%", "80%-100%")
SIZE = 8


def write_patch(root, write_raster, cover_bin, roi, number, seed=0, mask_type="s2_cloudy"):
    """Five files in the published layout, with random values."""
    rng = np.random.default_rng(seed)
    folder, grid = Path(root) / cover_bin, dict(transform=Affine(10, 0, 5000, 0, -10, 9000))
    clear = rng.integers(100, 5000, (13, SIZE, SIZE)).astype(np.uint16)
    mask = rng.random((SIZE, SIZE)) < 0.5
    cloudy = np.where(mask, clear // 2 + 4000, clear).astype(np.uint16)
    radar = rng.normal(-12, 4, (2, SIZE, SIZE)).astype(np.float32)
    codes = rng.integers(0, 6, (SIZE, SIZE)).astype(np.uint8)
    for kind, name, pixels in (
        ("s1", "s1", radar),
        ("s2", "s2", clear),
        ("s2_cloudy", "s2_cloudy", cloudy),
        ("cloud_detection_results", mask_type, mask.astype(np.uint8)),
        ("land_cover_maps", "s2", codes),
    ):
        write_raster(folder / kind / f"ROIs_{roi}_{name}_p{number}.tif", pixels, **grid)


def write_patches(root, write_raster):
    """Six regions; each has a patch in every bin, the same patch in the first two."""
    for place, cover_bin in enumerate(BINS):
        for roi in ("01", "02", "03", "04", "05", "1158"):
            number = 7 if place < 2 else 100 + place
            write_patch(root, write_raster, cover_bin, roi, number, place)
    return root


def build(tree, split="train", **kwargs):
    config = dict(type="LuojiaOSFCRDataset", data_root=str(tree), split=split, pipeline=LOADING)
    return DATASETS.build({**config, **kwargs})


def infos(dataset):
    return [dataset.get_data_info(index) for index in range(len(dataset))]
