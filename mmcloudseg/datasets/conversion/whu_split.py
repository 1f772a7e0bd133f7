"""Which scenes of WHU-OPT-SAR are for training, validation and test."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from mmcloudseg.utils.errors import DataError

LISTS = dict(train="train_list.txt", test="test_list.txt")
# The publishers' repository has both lists in one file, under the headings "train:" and "test:".
BOTH_LISTS = "The division of the dataset.txt"

# Sheet of the Chinese 1:1 000 000 map, E for the scale 1:50 000, row, column (GB/T 13989).
SCENE_NAME = re.compile(r"([A-Z]{2}\d{2})E(\d{3})(\d{3})")


def read_lists(root: Path) -> dict[str, list[str]]:
    """Read the published lists of training and test scenes.

    A line may also hold a folder before the scene's name and the file's ending after it.

    Args:
        root: The folder of the published set.

    Returns:
        ``train`` and ``test`` -> names of scenes, without a list that is missing.
    """
    texts = {
        split: (root / name).read_text(encoding="utf-8-sig")
        for split, name in LISTS.items()
        if (root / name).is_file()
    }
    if not texts and (root / BOTH_LISTS).is_file():
        text = (root / BOTH_LISTS).read_text(encoding="utf-8-sig")
        parts = re.split(r"^(train|test):\s*$", text, flags=re.MULTILINE)
        texts = dict(zip(parts[1::2], parts[2::2], strict=True))
    return {split: _scene_names(text) for split, text in texts.items()}


def _scene_names(text: str) -> list[str]:
    files = [re.split(r"[\\/]", line.strip())[-1] for line in text.splitlines() if line.strip()]
    return list(dict.fromkeys(re.sub(r"\.tiff?$", "", name, flags=re.I) for name in files))


def map_sheet(scene: str) -> str:
    """The sheet of the 1:100 000 map, 2 x 2 scenes, on which a scene lies.

    Args:
        scene: Its name, a sheet of the 1:50 000 map, such as ``NH49E001013``.

    Returns:
        The sheet's name, such as ``NH49D001007``.

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
    so that the choice depends on nothing else.

    Args:
        training: Names of the scenes on the training list.
        fraction: Share of them to take at least, above 0 and below 1. A sheet that would leave
            none for training is skipped.

    Returns:
        Names of the scenes for validation, sorted; at least one.

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
