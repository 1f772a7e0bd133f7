"""Writes scenes in the folders, files and lists of WHU-OPT-SAR."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from mmcloudseg.procedural.mini_layout import MiniLayout
from mmcloudseg.procedural.mini_whu import (
    WHU_SPLITS,
    WHUScene,
    draw_whu_scene,
    sheet_name,
)
from mmcloudseg.rasters.geotiff import GeoTiffProfile, write_geotiff

LAYOUT = MiniLayout(
    marker="mini_whu_opt_sar.json",
    tool="make_mini_whu_opt_sar.py",
    names=("optical", "sar", "lbl", *(f"{split}_list.txt" for split in WHU_SPLITS)),
)
DEFAULT_COUNTS = MappingProxyType(dict(train=10, test=4))


def write_mini_whu(
    out: str | Path,
    counts: Mapping[str, int] = DEFAULT_COUNTS,
    size: tuple[int, int] = (400, 600),
    seed: int = 0,
    force: bool = False,
    progress: Callable[[list[tuple[str, int]]], Iterable[tuple[str, int]]] = iter,
) -> int:
    """Make the miniature WHU-OPT-SAR.

    Everything is written to a folder beside ``out`` first and moved when complete.

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
    if set(counts) - set(WHU_SPLITS) or min(counts.values(), default=0) < 0 or seed < 0:
        raise ValueError(
            f"write_mini_whu: expected counts of {WHU_SPLITS} and a seed, none negative, found "
            f"counts={dict(counts)}, seed={seed}"
        )
    for split, count in counts.items():
        if count:
            sheet_name(split, count - 1)
    recipe = {
        "seed": seed,
        "size": list(size),
        "scenes": {split: counts.get(split, 0) for split in WHU_SPLITS},
    }
    return LAYOUT.write(out, lambda root: _fill(root, counts, size, seed, progress), recipe, force)


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


def _fill(
    root: Path,
    counts: Mapping[str, int],
    size: tuple[int, int],
    seed: int,
    progress: Callable[[list[tuple[str, int]]], Iterable[tuple[str, int]]],
) -> None:
    for folder in ("optical", "sar", "lbl"):
        (root / folder).mkdir()
    lines: dict[str, list[str]] = {split: [] for split in WHU_SPLITS}
    todo = [(split, index) for split in WHU_SPLITS for index in range(counts.get(split, 0))]
    for split, index in progress(todo):
        lines[split].append(write_whu_scene(root, draw_whu_scene(seed, split, index, size)))
    for split in WHU_SPLITS:
        (root / f"{split}_list.txt").write_text("".join(line + "\n" for line in lines[split]))
