"""What the published folder of WHU-OPT-SAR holds, told by its lists and file names alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mmcloudseg.datasets.conversion.manifest import SPLITS
from mmcloudseg.datasets.conversion.whu_split import (
    BOTH_LISTS,
    LISTS,
    map_sheet,
    read_lists,
    validation_scenes,
)
from mmcloudseg.datasets.conversion.whu_tiles import FOLDERS, Scene
from mmcloudseg.utils.errors import DataError

PUBLISHED_SCENES = 100
SUFFIXES = (".tif", ".tiff")


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with the published tree.

    Attributes:
        what: Where, what was found and what was expected; the same for all scenes that share it.
        scene: The scene that it is about, if it is about one.
    """

    what: str
    scene: str = ""


@dataclass(frozen=True)
class PublishedTree:
    """The scenes of a folder.

    Attributes:
        root: The folder.
        scenes: All scenes that have a file or are listed, sorted; with problems, their ``files``
            may lack some and their ``split`` be empty.
        problems: What is wrong with folders, lists and names.
        left_out: Listed scenes that are not there at all, where a part of the set is enough.
    """

    root: Path
    scenes: tuple[Scene, ...]
    problems: tuple[Problem, ...]
    left_out: tuple[str, ...] = ()

    def names(self) -> dict[str, list[str]]:
        """Split -> names of its scenes, sorted."""
        return {split: [s.name for s in self.scenes if s.split == split] for split in SPLITS}


def find_scenes(root: Path, val_fraction: float = 0.1, subset: bool = False) -> PublishedTree:
    """List the scenes, without opening their images.

    Args:
        root: Folder that holds ``optical``, ``sar``, ``lbl`` and the two lists.
        val_fraction: As in :func:`validation_scenes`.
        subset: A part of the set is enough: listed scenes without any file are left out.

    Returns:
        The tree; problems are among its attributes, not raised.
    """
    if not root.is_dir():
        return PublishedTree(root, (), (Problem(f"no such folder: {root}. {_expected()}"),))
    problems = list(_folder_problems(root))
    files = {modality: _files(root / folder) for modality, folder in FOLDERS.items()}
    there = {name for found in files.values() for name in found}
    lists = read_lists(root)
    listed = {name for names in lists.values() for name in names}
    absent = listed - there if subset else set()
    lists = {split: [n for n in names if n not in absent] for split, names in lists.items()}
    problems += _list_problems(root, lists, there, subset)
    # A folder that is missing is one problem, not one for each of its files.
    present = {m: found for m, found in files.items() if (root / FOLDERS[m]).is_dir()}
    problems += _missing_files(lists, present)
    splits = _splits(lists, val_fraction, problems)
    scenes = tuple(
        Scene(
            name,
            splits.get(name, ""),
            {modality: str(found[name]) for modality, found in files.items() if name in found},
        )
        for name in sorted(there | set(splits))
    )
    return PublishedTree(root, scenes, tuple(problems), tuple(sorted(absent)))


def _expected() -> str:
    folders = ", ".join(f"{folder}/" for folder in FOLDERS.values())
    return f"Expected a folder with {folders}, {LISTS['train']} and {LISTS['test']}"


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


def _files(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    return {path.stem: path for path in paths if not path.name.startswith(".")}


def _list_problems(
    root: Path, lists: dict[str, list[str]], there: set[str], subset: bool
) -> Iterator[Problem]:
    for split, name in LISTS.items():
        if split not in lists:
            yield Problem(
                f"no {name}: expected the names of the {split} scenes, one a line; it comes with "
                f"the set, or is a part of '{BOTH_LISTS}' in the publishers' repository"
            )
        elif not lists[split]:
            yield Problem(f"{name}: lists no scene" + (" that is there" if subset else ""))
    train, test = set(lists.get("train", ())), set(lists.get("test", ()))
    for scene in sorted(train & test):
        yield Problem("on both lists, so it would be trained and tested on", scene)
    if len(lists) == len(LISTS):
        for scene in sorted(there - train - test):
            yield Problem("has files, but is on neither list", scene)
        if not subset and len(train | test) != PUBLISHED_SCENES:
            yield Problem(
                f"{len(train | test)} scenes on the lists, expected {PUBLISHED_SCENES} "
                "(--subset takes a part of the set)"
            )
    for scene in sorted(there | train | test):
        try:
            map_sheet(scene)
        except DataError as error:
            yield Problem(str(error))


def _missing_files(
    lists: dict[str, list[str]], files: dict[str, dict[str, Path]]
) -> Iterator[Problem]:
    for scene in sorted({name for names in lists.values() for name in names}):
        for modality, found in files.items():
            if scene not in found:
                yield Problem(f"no file in {FOLDERS[modality]}/", scene)


def _splits(
    lists: dict[str, list[str]], val_fraction: float, problems: list[Problem]
) -> dict[str, str]:
    splits = {name: split for split, names in lists.items() for name in names}
    if lists.get("train"):
        try:
            held_out = validation_scenes(lists["train"], val_fraction)
        except DataError as error:
            if not any(problem.what == str(error) for problem in problems):
                problems.append(Problem(str(error)))
        else:
            splits.update(dict.fromkeys(held_out, "val"))
    return splits
