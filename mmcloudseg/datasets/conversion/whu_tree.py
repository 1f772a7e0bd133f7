"""What the published lists and file names of WHU-OPT-SAR say: the scenes and their splits."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mmcloudseg.datasets.conversion.settings import ConversionSettings
from mmcloudseg.datasets.conversion.tile_folder import SPLITS
from mmcloudseg.datasets.conversion.whu_tiles import FOLDERS, PublishedScene
from mmcloudseg.utils.errors import DataError

PUBLISHED_SCENES = 100
ENDING = re.compile(r"\.tiff?$", re.IGNORECASE)
LISTS = dict(train="train_list.txt", test="test_list.txt")
# The publishers' repository has both lists in one file, under the headings "train:" and "test:".
BOTH_LISTS = "The division of the dataset.txt"
# Sheet of the Chinese 1:1 000 000 map, E for the scale 1:50 000, row, column (GB/T 13989).
SCENE_NAME = re.compile(r"([A-Z]{2}\d{2})E(\d{3})(\d{3})")


class Problem(NamedTuple):
    """What is wrong (the same for all scenes that share it), and the scene that it is about."""

    what: str
    scene: str = ""


@dataclass(frozen=True)
class PublishedTree:
    """The scenes of the folder ``root``.

    Attributes:
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
    """List the scenes without opening their images; problems are returned, not raised.

    With ``settings.subset``, listed scenes without any file are left out.
    """
    if not root.is_dir():
        expected = ", ".join([*(f"{name}/" for name in FOLDERS.values()), *LISTS.values()])
        problem = Problem(f"no such folder: {root}. Expected a folder with {expected}")
        return PublishedTree(root, (), (problem,))
    # A missing folder is one problem, not one for each of its files.
    folders = {m: root / folder for m, folder in FOLDERS.items() if (root / folder).is_dir()}
    files = {modality: _files(folder) for modality, folder in folders.items()}
    existing = set().union(*files.values())
    lists = read_lists(root)
    absent = set().union(*lists.values()) - existing if settings.subset else set()
    lists = {split: [n for n in names if n not in absent] for split, names in lists.items()}
    splits = {name: split for split, names in lists.items() for name in names}
    problems = [*_folder_problems(root), *_list_problems(lists, files, settings.subset)]
    if lists.get("train"):
        try:
            held_out = validation_scenes(lists["train"], settings.val_fraction)
            splits.update(dict.fromkeys(held_out, "val"))
        except DataError as error:
            problems.append(Problem(str(error)))
    scenes = []
    for name in sorted(existing | set(splits)):
        paths = {modality: str(found[name]) for modality, found in files.items() if name in found}
        scenes.append(PublishedScene(name, splits.get(name, ""), paths))
    # A name that is not that of a sheet is found twice: on the lists and by the split.
    distinct = tuple(dict.fromkeys(problems))
    return PublishedTree(root, tuple(scenes), distinct, tuple(sorted(absent)))


def read_lists(root: Path) -> dict[str, list[str]]:
    """Read the published lists: ``train`` and ``test`` -> names of scenes, if there is a list.

    A line may also hold a folder before the scene's name and the file's ending after it.
    """
    files = {split: root / name for split, name in LISTS.items() if (root / name).is_file()}
    texts = {split: file.read_text(encoding="utf-8-sig") for split, file in files.items()}
    if not texts and (root / BOTH_LISTS).is_file():
        text = (root / BOTH_LISTS).read_text(encoding="utf-8-sig")
        parts = re.split(r"^(train|test):\s*$", text, flags=re.MULTILINE)
        texts = dict(zip(parts[1::2], parts[2::2], strict=True))
    return {split: _scene_names(text) for split, text in texts.items()}


def _scene_names(text: str) -> list[str]:
    files = [re.split(r"[\\/]", line.strip())[-1] for line in text.splitlines() if line.strip()]
    return list(dict.fromkeys(ENDING.sub("", name) for name in files))


def _files(folder: Path) -> dict[str, Path]:
    paths = [path for path in sorted(folder.glob("[!.]*")) if ENDING.search(path.name)]
    return {ENDING.sub("", path.name): path for path in paths}


def _folder_problems(root: Path) -> Iterator[Problem]:
    missing = [f"{folder}/" for folder in FOLDERS.values() if not (root / folder).is_dir()]
    if missing:
        found = sorted(path.name for path in root.iterdir() if path.is_dir())
        inside = [name for name in found if (root / name / FOLDERS["optical"]).is_dir()]
        advice = f"folders found: {', '.join(found) or 'none'}"
        if inside:
            advice = f"did you mean {root / inside[0]}?"
        yield Problem(f"folders missing: {', '.join(missing)}; {advice}")


def _list_problems(
    lists: Mapping[str, list[str]], files: Mapping[str, Mapping[str, Path]], subset: bool
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
    existing = set().union(*files.values())
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
    for scene in sorted(train | test):
        for modality, found in files.items():
            if scene not in found:
                yield Problem(f"no file in {FOLDERS[modality]}/", scene)


def map_sheet(scene: str) -> str:
    """The sheet of the 1:100 000 map, 2 x 2 scenes, on which a scene lies.

    A scene's name is a sheet of the 1:50 000 map: ``NH49E001013`` lies on ``NH49D001007``.

    Raises:
        DataError: If the scene does not have the name of a sheet.
    """
    match = SCENE_NAME.fullmatch(scene)
    if match is None:
        raise DataError(
            f"{scene}: not the name of a map sheet, such as NH49E001013, by which neighbouring "
            "scenes are found. Restore the published name."
        )
    million, row, column = match[1], int(match[2]), int(match[3])
    return f"{million}D{(row - 1) // 2 + 1:03d}{(column - 1) // 2 + 1:03d}"


def validation_scenes(training: Sequence[str], fraction: float) -> list[str]:
    """Choose validation scenes from the training list, by whole sheets of the 1:100 000 map.

    Scenes of one sheet touch and look alike. The sheets are ordered by the SHA-256 of their names,
    so that the choice depends on nothing else, and taken until they hold a ``fraction`` of the
    scenes. One that would leave none for training is skipped.

    Raises:
        DataError: If all scenes lie on one sheet, or a name is not that of a sheet.
        ValueError: If the fraction is out of range.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"val_fraction must be above 0 and below 1, found {fraction}")
    sheets: dict[str, list[str]] = {}
    for scene in sorted(training):
        sheets.setdefault(map_sheet(scene), []).append(scene)
    chosen: list[str] = []
    for sheet in sorted(sheets, key=lambda name: hashlib.sha256(name.encode()).hexdigest()):
        if len(chosen) >= fraction * len(training):
            break
        if len(chosen) + len(sheets[sheet]) < len(training):
            chosen += sheets[sheet]
    if not chosen:
        raise DataError(
            f"{LISTS['train']}: its {len(training)} scene(s) lie on one 1:100 000 map sheet, so "
            "none can be held out for validation. Add a scene of another sheet."
        )
    return sorted(chosen)
