"""What the lists and file names in the published folder of WHU-OPT-SAR say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mmcloudseg.datasets.conversion.manifest import SPLITS
from mmcloudseg.datasets.conversion.settings import ConversionSettings
from mmcloudseg.datasets.conversion.whu_split import (
    BOTH_LISTS,
    LISTS,
    map_sheet,
    read_lists,
    validation_scenes,
)
from mmcloudseg.datasets.conversion.whu_tiles import FOLDERS, PublishedScene
from mmcloudseg.utils.errors import DataError

PUBLISHED_SCENES = 100
SUFFIXES = (".tif", ".tiff")


class Problem(NamedTuple):
    """What is wrong (the same for all scenes that share it), and the scene that it is about."""

    what: str
    scene: str = ""


@dataclass(frozen=True)
class PublishedTree:
    """The scenes of a folder.

    Attributes:
        root: The folder.
        scenes: All scenes that have a file or are listed, sorted. If there are problems, some of
            their ``files`` may be missing and their ``split`` may be empty.
        problems: What is wrong with folders, lists and names.
        left_out: Listed scenes without any file, if a part of the set is enough.
    """

    root: Path
    scenes: tuple[PublishedScene, ...]
    problems: tuple[Problem, ...]
    left_out: tuple[str, ...] = ()

    def names(self) -> dict[str, list[str]]:
        """Split -> names of its scenes, sorted."""
        return {split: [s.name for s in self.scenes if s.split == split] for split in SPLITS}


def find_scenes(root: Path, settings: ConversionSettings) -> PublishedTree:
    """List the scenes without opening their images.

    Args:
        root: Folder that holds ``optical``, ``sar``, ``lbl`` and the two lists.
        settings: With ``subset``, listed scenes without any file are left out.

    Returns:
        The tree. Problems are reported in its attributes, not raised.
    """
    if not root.is_dir():
        expected = ", ".join([*(f"{name}/" for name in FOLDERS.values()), *LISTS.values()])
        problem = Problem(f"no such folder: {root}. Expected a folder with {expected}")
        return PublishedTree(root, (), (problem,))
    files = {modality: _files(root / folder) for modality, folder in FOLDERS.items()}
    existing = set().union(*files.values())
    lists = read_lists(root)
    listed = set().union(*lists.values())
    absent = listed - existing if settings.subset else set()
    lists = {split: [n for n in names if n not in absent] for split, names in lists.items()}
    splits, split_problems = _splits(lists, settings.val_fraction)
    problems = [
        *_folder_problems(root),
        *_list_problems(lists, existing, settings.subset),
        # A missing folder is one problem, not one for each of its files.
        *_missing_files(lists, {m: f for m, f in files.items() if (root / FOLDERS[m]).is_dir()}),
        *split_problems,
    ]
    scenes = tuple(
        PublishedScene(
            name,
            splits.get(name, ""),
            {modality: str(found[name]) for modality, found in files.items() if name in found},
        )
        for name in sorted(existing | set(splits))
    )
    # A name that is not that of a sheet is found twice: on the lists and by the split.
    return PublishedTree(root, scenes, tuple(dict.fromkeys(problems)), tuple(sorted(absent)))


def _files(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    return {path.stem: path for path in paths if not path.name.startswith(".")}


def _folder_problems(root: Path) -> Iterator[Problem]:
    missing = [f"{folder}/" for folder in FOLDERS.values() if not (root / folder).is_dir()]
    if not missing:
        return
    found = sorted(path.name for path in root.iterdir() if path.is_dir())
    inside = [name for name in found if (root / name / FOLDERS["optical"]).is_dir()]
    if inside:
        advice = f"did you mean {root / inside[0]}?"
    else:
        advice = f"folders found: {', '.join(found) or 'none'}"
    yield Problem(f"folders missing: {', '.join(missing)}; {advice}")


def _list_problems(
    lists: Mapping[str, list[str]], existing: set[str], subset: bool
) -> Iterator[Problem]:
    for split, name in LISTS.items():
        if split not in lists:
            yield Problem(
                f"no {name}: expected the names of the {split} scenes, one a line; it comes "
                f"with the set, and as a part of '{BOTH_LISTS}' in the publishers' repository"
            )
        elif not lists[split]:
            yield Problem(f"{name}: lists no scene" + (" that has files" if subset else ""))
    train, test = set(lists.get("train", ())), set(lists.get("test", ()))
    for scene in sorted(train & test):
        yield Problem("on both lists, so it would be trained and tested on", scene)
    if len(lists) == len(LISTS):
        for scene in sorted(existing - train - test):
            yield Problem("has files, but is on neither list", scene)
        if not subset and len(train | test) != PUBLISHED_SCENES:
            yield Problem(
                f"{len(train | test)} scenes on the lists, expected {PUBLISHED_SCENES} "
                "(--subset takes a part of the set)"
            )
    for scene in sorted(existing | train | test):
        try:
            map_sheet(scene)
        except DataError as error:
            yield Problem(str(error))


def _missing_files(
    lists: Mapping[str, list[str]], files: Mapping[str, Iterable[str]]
) -> Iterator[Problem]:
    for scene in sorted(set().union(*lists.values())):
        for modality, found in files.items():
            if scene not in found:
                yield Problem(f"no file in {FOLDERS[modality]}/", scene)


def _splits(
    lists: Mapping[str, list[str]], val_fraction: float
) -> tuple[dict[str, str], list[Problem]]:
    splits = {name: split for split, names in lists.items() for name in names}
    if lists.get("train"):
        try:
            held_out = validation_scenes(lists["train"], val_fraction)
        except DataError as error:
            return splits, [Problem(str(error))]
        splits.update(dict.fromkeys(held_out, "val"))
    return splits, []
