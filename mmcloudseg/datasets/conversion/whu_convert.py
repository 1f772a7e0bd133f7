"""WHU-OPT-SAR as published -> tiles, split by scene, with clouds on those that are scored."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from mmcloudseg.datasets.conversion.manifest import Row
from mmcloudseg.datasets.conversion.tile_folder import TileFolder
from mmcloudseg.datasets.conversion.whu_checks import check_tree
from mmcloudseg.datasets.conversion.whu_tiles import (
    CLOUD_SETTINGS,
    FOLDERS,
    PublishedScene,
    TileRow,
    tile_origins,
)
from mmcloudseg.datasets.conversion.whu_tree import PublishedTree, find_scenes
from mmcloudseg.datasets.conversion.workers import Workers, default_jobs
from mmcloudseg.rasters.reading import raster_session, read_header
from mmcloudseg.utils.errors import DataError
from mmcloudseg.utils.locks import folder_lock

# Part of the recipe: to be raised when the same scenes give other tiles or other clouds.
FORMAT_VERSION = 1


@dataclass(frozen=True)
class ConversionSettings:
    """How to convert.

    Attributes:
        tile_sizes: Rows and columns of the tiles, one folder of tiles for each.
        seed: Seed of the clouds.
        val_fraction: Share of the training scenes to validate on at least, by whole map sheets.
        freeze_train: Put clouds on the training tiles too, not only on those for validation and
            test.
        subset: Take a part of the set, or scenes of other sizes.
        jobs: Number of processes; by default one per core, at most four.
        progress: Whether to show progress bars.
    """

    tile_sizes: tuple[int, ...] = (512,)
    seed: int = 0
    val_fraction: float = 0.1
    freeze_train: bool = False
    subset: bool = False
    jobs: int | None = None
    progress: bool = False

    def __post_init__(self) -> None:
        sizes = self.tile_sizes
        if not sizes or min(sizes) < 1 or len(set(sizes)) < len(sizes):
            raise ValueError(f"tile sizes: expected different ones above 0, found {list(sizes)}")


@dataclass(frozen=True)
class Conversion:
    """What a conversion made.

    Attributes:
        folders: The finished folders of tiles, one for each tile size.
        worked: Whether there was anything to do.
        left_out: Listed scenes without any file, if a part of the set is enough.
    """

    folders: tuple[TileFolder, ...]
    worked: bool
    left_out: tuple[str, ...]


def check(root: str | Path, settings: ConversionSettings) -> PublishedTree:
    """Check the published set, and write nothing; see :func:`convert`."""
    tree = find_scenes(Path(root), settings.val_fraction, settings.subset)
    with Workers(settings.jobs or default_jobs()) as workers:
        _check(tree, workers, settings)
    return tree


def convert(root: str | Path, out: str | Path, settings: ConversionSettings) -> Conversion:
    """Cut the published scenes into tiles.

    After an interruption, the same call resumes the conversion: finished scenes are not converted
    again, and the manifest is the same as without the interruption, for any number of jobs.

    Args:
        root: Folder of the published set.
        out: Folder to write to; tiles of 512 pixels go to ``out/512``.
        settings: How to convert.

    Returns:
        The finished folders, and whether there was anything to do.

    Raises:
        DataError: If the published set has problems, or ``out`` holds something else or is used by
            another run.
        OSError: If ``out`` cannot be written.
        ValueError: If a setting is out of range.
    """
    root, out = Path(root), Path(out)
    _check_place(root, out)
    tree = find_scenes(root, settings.val_fraction, settings.subset)
    recipe = dict(
        format_version=FORMAT_VERSION,
        seed=settings.seed,
        val_fraction=settings.val_fraction,
        freeze_train=settings.freeze_train,
        threshold=CLOUD_SETTINGS.threshold,
        scenes=tree.names(),
    )
    folders = tuple(
        TileFolder(out / str(size), dict(tile_size=size, **recipe)) for size in settings.tile_sizes
    )
    with folder_lock(out):
        todo = folders if tree.problems else _unfinished(folders, tree)
        if todo:
            # Unfinished files are removed last, when no process is left that writes them.
            with ExitStack() as last, Workers(settings.jobs or default_jobs()) as workers:
                _check(tree, workers, settings)
                for folder in todo:
                    folder.begin()
                    last.callback(folder.remove_unfinished_files)
                    _convert_scenes(tree, folder, workers, settings.progress)
    return Conversion(folders, bool(todo), tree.left_out)


def _check(tree: PublishedTree, workers: Workers, settings: ConversionSettings) -> None:
    check_tree(tree, workers, max(settings.tile_sizes), settings.subset, settings.progress)


def _check_place(root: Path, out: Path) -> None:
    place = out.resolve()
    for name in FOLDERS.values():
        if (root / name).resolve() in (place, *place.parents):
            raise DataError(
                f"{out}: lies in the published folder {root / name}, where tiles would be taken "
                "for scenes. Choose another OUT."
            )


def _unfinished(folders: tuple[TileFolder, ...], tree: PublishedTree) -> tuple[TileFolder, ...]:
    for folder in folders:
        folder.check_recipe()
    complete = [f for f in folders if f.is_complete(scene.name for scene in tree.scenes)]
    for folder in complete:
        # The last run may have been killed just after it had written the manifest.
        folder.remove_unfinished_files()
        folder.remove_records()
    return tuple(folder for folder in folders if folder not in complete)


def _convert_scenes(
    tree: PublishedTree, folder: TileFolder, workers: Workers, progress: bool
) -> None:
    sources = {scene.name: _state(scene) for scene in tree.scenes}
    done = folder.finished_scenes(sources)
    work = list(_tile_rows(folder, tree, done))
    left = Counter(row.scene.name for row in work)
    tiles: dict[str, list[Row]] = {name: [] for name in left}
    before = sum(map(len, done.values()))
    results = workers.map(TileRow.convert, work)
    with tqdm(
        desc=f"cutting {folder.path.name}",
        total=before + sum(row.count for row in work),
        initial=before,
        unit="tile",
        disable=not progress,
        dynamic_ncols=True,
    ) as bar:
        for scene, rows in results:
            tiles[scene] += rows
            left[scene] -= 1
            if not left[scene]:
                done[scene] = tiles.pop(scene)
                folder.record(scene, done[scene], sources[scene])
            bar.update(len(rows))
    folder.finish(row for rows in done.values() for row in rows)


def _tile_rows(folder: TileFolder, tree: PublishedTree, done: Container[str]) -> Iterator[TileRow]:
    size = folder.recipe["tile_size"]
    with raster_session():
        for scene in tree.scenes:
            if scene.name in done:
                continue
            height, width = read_header(scene.files["optical"]).shape
            for top in tile_origins(height, size):
                yield TileRow(
                    scene=scene,
                    top=top,
                    size=size,
                    count=len(tile_origins(width, size)),
                    folder=folder.path,
                    seed=folder.recipe["seed"],
                    cloudy=scene.split != "train" or folder.recipe["freeze_train"],
                )


def _state(scene: PublishedScene) -> list[list[int]]:
    """Size and time of the published files, which change when a file does."""
    found = [os.stat(scene.files[modality]) for modality in FOLDERS]
    return [[file.st_size, file.st_mtime_ns] for file in found]
