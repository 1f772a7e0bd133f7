"""WHU-OPT-SAR as published -> tiles, split by scene, with clouds on those that are scored."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from mmcloudseg.datasets.conversion.settings import ConversionSettings
from mmcloudseg.datasets.conversion.tile_folder import TileFolder
from mmcloudseg.datasets.conversion.whu_checks import check_tree
from mmcloudseg.datasets.conversion.whu_tiles import (
    CLOUD_SETTINGS,
    FOLDERS,
    convert_row,
    scene_shape,
    tile_origins,
)
from mmcloudseg.datasets.conversion.whu_tree import PublishedTree, find_scenes
from mmcloudseg.datasets.conversion.workers import Workers
from mmcloudseg.utils.errors import DataError
from mmcloudseg.utils.locks import folder_lock

# Part of the recipe: to be raised when the same scenes give other tiles or other clouds.
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Conversion:
    """The finished folders of tiles, whether there was anything to do, and scenes left out."""

    folders: list[TileFolder]
    worked: bool
    left_out: tuple[str, ...]


def check(root: str | Path, settings: ConversionSettings) -> PublishedTree:
    """Check the published set, and write nothing; see :func:`convert`."""
    tree = find_scenes(Path(root), settings)
    with Workers(settings.jobs) as workers:
        check_tree(tree, workers, settings)
    return tree


def convert(root: str | Path, out: str | Path, settings: ConversionSettings) -> Conversion:
    """Cut the published scenes into tiles; those of 512 pixels go to ``out/512``.

    After an interruption, the same call resumes the conversion: finished scenes are not converted
    again, and the manifest is the same as without the interruption, for any number of jobs.

    Raises:
        DataError: If the published set has problems, or ``out`` holds something else or is used by
            another run.
        OSError: If ``out`` cannot be written.
        ValueError: If ``val_fraction`` is out of range.
    """
    root, out = Path(root), Path(out)
    _check_place(root, out)
    tree = find_scenes(root, settings)
    recipe = dict(
        format_version=FORMAT_VERSION,
        seed=settings.seed,
        val_fraction=settings.val_fraction,
        freeze_train=settings.freeze_train,
        threshold=CLOUD_SETTINGS.threshold,
        scenes=tree.names(),
    )
    sizes = settings.tile_sizes
    folders = [TileFolder(out / str(size), dict(tile_size=size, **recipe)) for size in sizes]
    with folder_lock(out):
        todo = folders if tree.problems else _unfinished(folders, tree)
        if todo:
            # Unfinished files are removed last, when no process is left that writes them.
            with ExitStack() as last, Workers(settings.jobs) as workers:
                check_tree(tree, workers, settings)
                for folder in todo:
                    folder.begin()
                    last.callback(folder.tidy)
                    _convert_scenes(tree, folder, workers, settings)
    return Conversion(folders, bool(todo), tree.left_out)


def _check_place(root: Path, out: Path) -> None:
    for folder in (root / name for name in FOLDERS.values()):
        if out.resolve().is_relative_to(folder.resolve()):
            raise DataError(
                f"{out}: lies in the published folder {folder}, where tiles would be taken "
                "for scenes. Choose another OUT."
            )


def _unfinished(folders: Sequence[TileFolder], tree: PublishedTree) -> list[TileFolder]:
    for folder in folders:
        folder.check_recipe()
        # The last run may have been killed just after it had written the manifest.
        folder.tidy()
    return [f for f in folders if not f.is_complete(scene.name for scene in tree.scenes)]


def _convert_scenes(
    tree: PublishedTree, folder: TileFolder, workers: Workers, settings: ConversionSettings
) -> None:
    size = folder.recipe["tile_size"]
    sources = {}
    for scene in tree.scenes:
        found = [os.stat(scene.files[modality]) for modality in FOLDERS]
        # Size and time change when a published file does.
        sources[scene.name] = [[file.st_size, file.st_mtime_ns] for file in found]
    done = folder.finished_scenes(sources)
    before = total = sum(map(len, done.values()))
    todo = [scene for scene in tree.scenes if scene.name not in done]
    places, counts = [], {}
    for scene, shape in zip(todo, workers.map(scene_shape, todo), strict=True):
        tops, lefts = (tile_origins(length, size) for length in shape)
        places += [(scene, top) for top in tops]
        counts[scene.name] = len(tops)
        total += len(tops) * len(lefts)
    function = functools.partial(convert_row, folder=folder.path, size=size, settings=settings)
    results = workers.map(function, places)
    title, quiet = f"cutting {folder.path.name}", not settings.progress
    with tqdm(
        desc=title, total=total, initial=before, unit="tile", disable=quiet, dynamic_ncols=True
    ) as bar:
        for name, count in counts.items():
            done[name] = []
            for rows in itertools.islice(results, count):
                done[name] += rows
                bar.update(len(rows))
            folder.record(name, done[name], sources[name])
    folder.finish(row for rows in done.values() for row in rows)
