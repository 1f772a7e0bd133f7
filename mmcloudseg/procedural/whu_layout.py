"""Writes scenes in the folders, files and lists of WHU-OPT-SAR."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from mmcloudseg.procedural.mini_layout import MiniLayout, Progress, check_counts, write_split_lists
from mmcloudseg.procedural.mini_whu import WHU_SPLITS, WHUScene, draw_whu_scene, sheet_name
from mmcloudseg.rasters.geotiff import GeoTiffProfile, write_geotiff

LAYOUT = MiniLayout(
    "mini_whu_opt_sar.json",
    "make_mini_whu_opt_sar.py",
    folders=("optical", "sar", "lbl"),
    files=tuple(f"{split}_list.txt" for split in WHU_SPLITS),
)


def write_mini_whu(
    out: str | Path,
    counts: Mapping[str, int] = MappingProxyType({"train": 10, "test": 4}),
    size: tuple[int, int] = (400, 600),
    seed: int = 0,
    force: bool = False,
    progress: Progress = iter,
) -> int:
    """Make the mini WHU-OPT-SAR; what is not listed is as in `write_mini_m3mcr`.

    Args:
        out: Folder to make.
        counts: Number of scenes of ``train`` and ``test``.
        size: Height and width of a scene in pixels of 5 m.
        seed: Seed of the data set, from 0.
        force: Whether to replace the set's files in a folder that this function did not make.
        progress: Wraps the list of (split, index).

    Raises:
        ValueError: If a split is unknown or a number negative or too large.
    """
    counts = check_counts(counts, WHU_SPLITS, seed)
    for split, count in counts.items():
        if count:
            sheet_name(split, count - 1)

    def fill(root: Path) -> None:
        def write(split: str, index: int) -> str:
            return write_whu_scene(root, draw_whu_scene(seed, split, index, size))

        write_split_lists(root, counts, "_list.txt", write, progress)

    recipe = {"seed": seed, "size": list(size), "scenes": counts}
    return LAYOUT.write(out, fill, recipe, force)


def write_whu_scene(root: Path, scene: WHUScene) -> str:
    """Write a scene's files, without a reference system, as published; return its list line."""
    name = f"{scene.name}.tif"
    write_geotiff(root / "optical" / name, scene.optical)
    for folder, band in (("sar", scene.sar), ("lbl", scene.label)):
        write_geotiff(root / folder / name, band, GeoTiffProfile(interleave="band"))
    return name
