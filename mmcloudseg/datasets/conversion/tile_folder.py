"""One folder of tiles: how it was made, which scenes are finished, its lists and manifest."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmcloudseg.datasets.conversion.manifest import (
    MANIFEST,
    MODALITIES,
    SPLITS,
    Row,
    manifest_digest,
    read_manifest,
    write_manifest,
    write_text,
)
from mmcloudseg.datasets.whu_opt_sar import RECIPE_FILE
from mmcloudseg.utils.errors import DataError

RECORDS = ".finished"
"""Hidden folder with a file for each finished scene, while there are others to do."""
UNFINISHED = ".*.part"
"""What ``atomic_write`` names its files until they are complete."""


class TileFolder:
    """A folder of tiles that grows scene by scene and can be gone on with after any stop.

    Args:
        path: The folder, ``OUT/512``.
        recipe: All that its content depends on besides the published pixels.
    """

    def __init__(self, path: Path, recipe: Mapping[str, Any]) -> None:
        self.path = path
        self.recipe = dict(recipe)

    def check_recipe(self) -> None:
        """Refuse a folder that something else is in.

        Raises:
            DataError: If it was made by another recipe, or not by this tool.
        """
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise DataError(f"{self.path}: expected a folder, found a file; name another OUT.")
        file = self.path / RECIPE_FILE
        if not file.is_file():
            foreign = [path.name for path in self.path.iterdir() if not path.match(UNFINISHED)]
            if foreign:
                raise DataError(
                    f"{self.path}: the folder holds {sorted(foreign)[0]} and no {RECIPE_FILE}, so "
                    "these tiles were not made here. Name another OUT, or empty the folder."
                )
            return
        try:
            there = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DataError(f"{file}: not a recipe ({error}). Delete {self.path}.") from error
        differences = [
            f"{key}: {_brief(there.get(key))} there, {_brief(self.recipe.get(key))} now"
            for key in dict.fromkeys([*self.recipe, *there])
            if there.get(key) != self.recipe.get(key)
        ]
        if differences:
            raise DataError.from_problems(
                f"{self.path}: made by another recipe",
                differences,
                f"Give the same arguments and scenes, or name another OUT, or delete {self.path}.",
            )

    def finished_scenes(self, sources: Mapping[str, Any]) -> dict[str, list[Row]]:
        """Scenes whose tiles are all there.

        Args:
            sources: Scene -> state of its published files; a scene is not finished if they have
                changed since.

        Returns:
            Scene -> its rows of the manifest.
        """
        files = {modality: set(_names(self.path / modality)) for modality in MODALITIES}
        rows = self._rows_of_manifest() or self._rows_of_records(sources)
        return {
            scene: tiles
            for scene, tiles in rows.items()
            if all(f"{row['name']}.tif" in files[m] for row in tiles for m in MODALITIES if row[m])
        }

    def _rows_of_manifest(self) -> dict[str, list[Row]]:
        rows: dict[str, list[Row]] = {}
        if (self.path / MANIFEST).is_file():
            for row in read_manifest(self.path):
                rows.setdefault(_scene(row["name"]), []).append(row)
        return rows

    def _rows_of_records(self, sources: Mapping[str, Any]) -> dict[str, list[Row]]:
        rows = {}
        for scene, state in sources.items():
            try:
                text = (self.path / RECORDS / f"{scene}.json").read_text(encoding="utf-8")
                record = json.loads(text)
            except (FileNotFoundError, ValueError):
                # After a power cut a file may be there and empty: the scene is done again.
                continue
            if record["sources"] == state:
                rows[scene] = record["rows"]
        return rows

    def is_complete(self, scenes: Iterable[str]) -> bool:
        """Whether every scene is finished and the manifest says so."""
        if not (self.path / MANIFEST).is_file():
            return False
        return set(scenes) == set(self.finished_scenes({}))

    def begin(self) -> None:
        """Write the recipe, make the folders, and clear away what a stopped run left half-done."""
        # The recipe comes first: it is what tells this folder from one that is not ours.
        write_text(self.path / RECIPE_FILE, json.dumps(self.recipe, indent=2) + "\n")
        for name in (RECORDS, *MODALITIES):
            (self.path / name).mkdir(exist_ok=True)
        self.tidy()

    def record(self, scene: str, rows: Sequence[Row], state: Any) -> None:
        """Note that a scene is finished."""
        content = json.dumps(dict(sources=state, rows=list(rows)))
        write_text(self.path / RECORDS / f"{scene}.json", content)

    def finish(self, rows: Iterable[Row]) -> None:
        """Write lists and manifest, and remove the records."""
        write_manifest(self.path, rows)
        self.clear_records()

    def clear_records(self) -> None:
        """Remove the records; a folder with a manifest does not need them."""
        shutil.rmtree(self.path / RECORDS, ignore_errors=True)

    def tidy(self) -> None:
        """Remove files that never got their names."""
        for folder in (self.path, self.path / RECORDS, *(self.path / m for m in MODALITIES)):
            for name in _names(folder):
                if Path(name).match(UNFINISHED):
                    (folder / name).unlink(missing_ok=True)

    def summary(self) -> str:
        """Tiles and scenes of each split, their size on disk, and the manifest's digest."""
        rows = read_manifest(self.path)
        parts = []
        for split in SPLITS:
            names = [row["name"] for row in rows if row["split"] == split]
            scenes = len({_scene(name) for name in names})
            parts.append(f"{split} {len(names)} tiles of {scenes} scenes")
        size = sum(entry.stat().st_size for m in MODALITIES for entry in os.scandir(self.path / m))
        return (
            f"{self.path}: {', '.join(parts)}; {size / 1e6:.1f} MB\n"
            f"{self.path}: manifest {manifest_digest(self.path)}"
        )


def _scene(tile: str) -> str:
    return tile.rsplit("_", 2)[0]


def _names(folder: Path) -> list[str]:
    return os.listdir(folder) if folder.is_dir() else []


def _brief(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_brief(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return f"{len(value)} scenes"
    return repr(value)
