"""WHU-OPT-SAR as published -> tiles, split by scene, with clouds where they are scored."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from mmcloudseg.clouds import simulate_clouds
from mmcloudseg.datasets.conversion.manifest import Row
from mmcloudseg.datasets.conversion.tile_folder import TileFolder
from mmcloudseg.datasets.conversion.whu_checks import check_tree
from mmcloudseg.datasets.conversion.whu_rows import CLOUD_SETTINGS, Clouds, RowOfTiles
from mmcloudseg.datasets.conversion.whu_tiles import FOLDERS, Scene, tile_origins
from mmcloudseg.datasets.conversion.whu_tree import PublishedTree, find_scenes
from mmcloudseg.datasets.conversion.workers import Workers, default_jobs
from mmcloudseg.rasters.reading import raster_session, read_header
from mmcloudseg.utils.errors import DataError
from mmcloudseg.utils.locks import folder_lock

# Part of the recipe: to be raised when the same scenes come out as other tiles or other clouds.
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Conversion:
    """What a conversion made.

    Attributes:
        folders: The finished folders of tiles, one for each tile size.
        worked: Whether there was anything to do.
        left_out: Listed scenes that are not there, where a part of the set is enough.
    """

    folders: tuple[TileFolder, ...]
    worked: bool
    left_out: tuple[str, ...]


def check(
    root: str | Path,
    tile_sizes: Sequence[int] = (512,),
    val_fraction: float = 0.1,
    subset: bool = False,
    jobs: int | None = None,
    progress: bool = False,
) -> PublishedTree:
    """Check the published set, and write nothing; see :func:`convert`."""
    tree = find_scenes(Path(root), val_fraction, subset)
    with Workers(jobs or default_jobs()) as workers:
        check_tree(tree, workers, max(tile_sizes), subset, progress)
    return tree


def convert(
    root: str | Path,
    out: str | Path,
    tile_sizes: Sequence[int] = (512,),
    seed: int = 0,
    val_fraction: float = 0.1,
    freeze_train: bool = False,
    subset: bool = False,
    jobs: int | None = None,
    progress: bool = False,
    clouds: Clouds = simulate_clouds,
) -> Conversion:
    """Cut the published scenes into tiles.

    It can be stopped at any moment and called again: finished scenes are not done twice, and the
    manifest is the same as without the stop, whatever the number of jobs.

    Args:
        root: Folder of the published set.
        out: Folder to write to; tiles of 512 pixels go to ``out/512``.
        tile_sizes: Rows and columns of the tiles, one set of tiles for each.
        seed: Of the clouds.
        val_fraction: Share of the training scenes to validate on at least, by whole map sheets.
        freeze_train: Write clouds over the training tiles too, not only over those of validation
            and test.
        subset: Take a part of the set, or scenes of other sizes.
        jobs: Number of processes; by default one per core, at most four.
        progress: Whether to show how far it is.
        clouds: Draws the clouds.

    Returns:
        The finished folders, and whether there was anything to do.

    Raises:
        DataError: If the published set has problems, or ``out`` holds something else.
        OSError: If ``out`` cannot be written.
        ValueError: If an argument is out of range.
    """
    root, out = Path(root), Path(out)
    _check_arguments(root, out, tile_sizes)
    tree = find_scenes(root, val_fraction, subset)
    recipe = dict(
        format_version=FORMAT_VERSION,
        seed=seed,
        val_fraction=val_fraction,
        freeze_train=freeze_train,
        threshold=CLOUD_SETTINGS["threshold"],
        scenes=tree.names(),
    )
    folders = tuple(
        TileFolder(out / str(size), dict(tile_size=size, **recipe)) for size in tile_sizes
    )
    with folder_lock(out):
        todo = folders if tree.problems else _unfinished(folders, tree)
        if todo:
            # Half-done files go last, when no process is left that makes them.
            with ExitStack() as last, Workers(jobs or default_jobs()) as workers:
                check_tree(tree, workers, max(tile_sizes), subset, progress)
                for folder in todo:
                    folder.begin()
                    last.callback(folder.tidy)
                    _convert_scenes(tree, folder, workers, clouds, progress)
    return Conversion(folders, bool(todo), tree.left_out)


def _check_arguments(root: Path, out: Path, tile_sizes: Sequence[int]) -> None:
    if not tile_sizes or min(tile_sizes) < 1 or len(set(tile_sizes)) < len(tile_sizes):
        raise ValueError(f"tile sizes: expected different ones above 0, found {list(tile_sizes)}")
    place = out.resolve()
    for name in FOLDERS.values():
        if (root / name).resolve() in (place, *place.parents):
            raise DataError(
                f"{out}: lies in the published folder {root / name}, where tiles would be taken "
                "for scenes. Name another OUT."
            )


def _unfinished(folders: Iterable[TileFolder], tree: PublishedTree) -> list[TileFolder]:
    for folder in folders:
        folder.check_recipe()
    unfinished = []
    for folder in folders:
        if folder.is_complete(scene.name for scene in tree.scenes):
            # The last run may have been killed between the manifest and this.
            folder.tidy()
            folder.clear_records()
        else:
            unfinished.append(folder)
    return unfinished


def _convert_scenes(
    tree: PublishedTree, folder: TileFolder, workers: Workers, clouds: Clouds, progress: bool
) -> None:
    sources = {scene.name: _state(scene) for scene in tree.scenes}
    done = folder.finished_scenes(sources)
    work = list(_rows_of_tiles(folder, tree.scenes, done, clouds))
    left = Counter(row.scene.name for row in work)
    tiles: dict[str, list[Row]] = {name: [] for name in left}
    before = sum(map(len, done.values()))
    with tqdm(
        desc=f"cutting {folder.path.name}",
        total=before + sum(row.count for row in work),
        initial=before,
        unit="tile",
        disable=not progress,
        dynamic_ncols=True,
    ) as bar:
        for scene, rows in workers.run(row.convert for row in work):
            tiles[scene] += rows
            left[scene] -= 1
            if not left[scene]:
                done[scene] = tiles.pop(scene)
                folder.record(scene, done[scene], sources[scene])
            bar.update(len(rows))
    folder.finish(row for rows in done.values() for row in rows)


def _rows_of_tiles(
    folder: TileFolder, scenes: Iterable[Scene], done: Container[str], clouds: Clouds
) -> Iterator[RowOfTiles]:
    size = folder.recipe["tile_size"]
    with raster_session():
        for scene in scenes:
            if scene.name in done:
                continue
            height, width = read_header(scene.files["optical"]).shape
            for top in tile_origins(height, size):
                yield RowOfTiles(
                    scene=scene,
                    top=top,
                    size=size,
                    count=len(tile_origins(width, size)),
                    folder=folder.path,
                    seed=folder.recipe["seed"],
                    cloudy=scene.split != "train" or folder.recipe["freeze_train"],
                    clouds=clouds,
                )


def _state(scene: Scene) -> list[list[int]]:
    """What changes when a published file does."""
    found = [os.stat(scene.files[modality]) for modality in FOLDERS]
    return [[file.st_size, file.st_mtime_ns] for file in found]
