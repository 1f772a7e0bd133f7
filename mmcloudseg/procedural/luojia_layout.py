"""Writes patches in the folders and files of LuojiaSET-OSFCR."""

from dataclasses import replace
from pathlib import Path

from mmcloudseg.procedural.mini_layout import MiniLayout, Progress, north_up
from mmcloudseg.procedural.mini_luojia import (
    LUOJIA_BINS,
    LUOJIA_GSD_M,
    LuojiaPatch,
    draw_luojia_patch,
)
from mmcloudseg.rasters.geotiff import GeoTiffProfile, write_geotiff

LAYOUT = MiniLayout("mini_luojia-osfcr.json", "make_mini_luojia.py", folders=LUOJIA_BINS)


def write_mini_luojia(
    out: str | Path,
    rois: int = 12,
    patches_per_roi: int = 6,
    seed: int = 0,
    force: bool = False,
    progress: Progress = iter,
) -> int:
    """Make the mini LuojiaSET-OSFCR; what is not listed is as in `write_mini_m3mcr`.

    Args:
        out: Folder to make.
        rois: Number of regions of interest.
        patches_per_roi: Number of patches in each; the first is in two bins of cloud cover.
        seed: Seed of the data set, from 0.
        force: Whether to replace the set's files in a folder that this function did not make.
        progress: Wraps the list of (region, patch).

    Raises:
        ValueError: If a number is negative.
    """
    recipe = {"seed": seed, "rois": rois, "patches_per_roi": patches_per_roi}
    if min(recipe.values()) < 0:
        raise ValueError(f"write_mini_luojia: expected numbers from 0, found {recipe}")

    def fill(root: Path) -> None:
        todo = [(roi, patch) for roi in range(rois) for patch in range(patches_per_roi)]
        for roi, patch in progress(todo):
            write_luojia_patch(root, draw_luojia_patch(seed, roi, patch))

    return LAYOUT.write(out, fill, recipe, force)


def write_luojia_patch(root: Path, patch: LuojiaPatch) -> None:
    """Write the five files of a patch in each of its bins."""

    def path(cover_bin: str, folder: str, kind: str) -> Path:
        return root / cover_bin / folder / f"ROIs_{patch.roi}_{kind}_p{patch.number}.tif"

    profile = GeoTiffProfile(
        crs=f"EPSG:{patch.epsg}",
        transform=north_up(patch.origin, LUOJIA_GSD_M),
        compress="deflate",
        interleave="band",
    )
    # Differences between neighbours compress better than values: 2 for integers, 3 for floats.
    whole, floating = replace(profile, predictor=2), replace(profile, predictor=3)
    for view in patch.views:
        mask = view.mask.astype("uint8")
        write_geotiff(path(view.cover_bin, "s1", "s1"), patch.backscatter_db, floating)
        write_geotiff(path(view.cover_bin, "s2", "s2"), patch.clear, whole)
        write_geotiff(path(view.cover_bin, "s2_cloudy", "s2_cloudy"), view.image, whole)
        write_geotiff(path(view.cover_bin, "cloud_detection_results", "s2_cloudy"), mask, profile)
        write_geotiff(path(view.cover_bin, "land_cover_maps", "s2"), patch.land_cover, profile)
