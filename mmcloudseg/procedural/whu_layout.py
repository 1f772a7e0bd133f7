"""Writes scenes in the folders, files and lists of WHU-OPT-SAR."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from mmcloudseg.procedural.mini_layout import (
    MiniLayout,
    Progress,
    check_counts,
    write_split_lists,
)
from mmcloudseg.procedural.mini_whu import (
    WHU_SPLITS,
    WHUScene,
    draw_whu_scene,
    sheet_name,
)
from mmcloudseg.rasters.geotiff import GeoTiffProfile, write_geotiff

FOLDERS = ("optical", "sar", "lbl")
LAYOUT = MiniLayout(
    marker="mini_whu_opt_sar.json",
    tool="make_mini_whu_opt_sar.py",
    names=(*FOLDERS, *(f"{split}_list.txt" for split in WHU_SPLITS)),
)
DEFAULT_COUNTS = MappingProxyType(dict(train=10, test=4))


def write_mini_whu(
    out: str | Path,
    counts: Mapping[str, int] = DEFAULT_COUNTS,
    size: tuple[int, int] = (400, 600),
    seed: int = 0,
    force: bool = False,
    progress: Progress = iter,
) -> int:
    """Make the mini WHU-OPT-SAR.

    Args:
        out: Folder to make; its parents are made as needed.
        counts: Number of scenes of ``train`` and ``test``.
        size: Height and width of a scene in pixels of 5 m.
        seed: Seed of the data set, from 0.
        force: Whether to replace the set's files in a folder that this function did not make.
        progress: Wraps the list of (split, index) that is worked through, as ``tqdm`` does.

    Returns:
        Bytes written.

    Raises:
        FileExistsError: If ``out`` is a file, or holds something that this function did not make
            and ``force`` is not given.
        ValueError: If a split is unknown or a number negative or too large.
    """
    counts = check_counts(counts, WHU_SPLITS, seed)
    for split, count in counts.items():
        if count:
            sheet_name(split, count - 1)

    def fill(root: Path) -> None:
        for folder in FOLDERS:
            (root / folder).mkdir()
        write_split_lists(
            root,
            counts,
            "_list.txt",
            lambda split, index: write_whu_scene(root, draw_whu_scene(seed, split, index, size)),
            progress,
        )

    recipe = {"seed": seed, "size": list(size), "scenes": counts}
    return LAYOUT.write(out, fill, recipe, force)


def write_whu_scene(root: Path, scene: WHUScene) -> str:
    """Write the three files of a scene, without a reference system, as published.

    Returns:
        The scene's line for the list file, without line end.
    """
    name = f"{scene.name}.tif"
    write_geotiff(root / "optical" / name, scene.optical)
    for folder, band in (("sar", scene.sar), ("lbl", scene.label)):
        write_geotiff(root / folder / name, band, GeoTiffProfile(interleave="band"))
    return name
