"""One folder of tiles: its recipe, the scenes that are finished, its lists and manifest."""

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
)
from mmcloudseg.datasets.whu_opt_sar import RECIPE_FILE
from mmcloudseg.utils.errors import DataError
from mmcloudseg.utils.files import write_text

RECORDS = ".finished"
"""Hidden folder with a file for each finished scene, until all scenes are finished."""
UNFINISHED = ".*.part"
"""What ``atomic_write`` calls its files until they are complete."""


class TileFolder:
    """A folder of tiles that is filled scene by scene and can be resumed after any interruption.

    Args:
        path: The folder, such as ``OUT/512``.
        recipe: Everything that its content depends on except the published pixels.
    """

    def __init__(self, path: Path, recipe: Mapping[str, Any]) -> None:
        self.path = path
        self.recipe = dict(recipe)

    def check_recipe(self) -> None:
        """Refuse a folder that holds something else.

        Raises:
            DataError: If the folder was made with another recipe, or not by this converter.
        """
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise DataError(f"{self.path}: expected a folder, found a file. Choose another OUT.")
        file = self.path / RECIPE_FILE
        if not file.is_file():
            foreign = [path.name for path in self.path.iterdir() if not path.match(UNFINISHED)]
            if foreign:
                raise DataError(
                    f"{self.path}: the folder holds {min(foreign)} but no {RECIPE_FILE}, so the "
                    "converter did not make it. Choose another OUT, or empty the folder."
                )
            return
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DataError(f"{file}: not a recipe ({error}). Delete {self.path}.") from error
        differences = [
            f"{key}: {_brief(found.get(key))} there, {_brief(self.recipe.get(key))} now"
            for key in dict.fromkeys([*self.recipe, *found])
            if found.get(key) != self.recipe.get(key)
        ]
        if differences:
            raise DataError.from_problems(
                f"{self.path}: made with another recipe",
                differences,
                f"Use the same arguments and scenes, choose another OUT, or delete {self.path}.",
            )

    def finished_scenes(self, sources: Mapping[str, Any]) -> dict[str, list[Row]]:
        """Scenes all of whose tiles exist.

        Args:
            sources: Scene -> state of its published files. A scene without a manifest is finished
                only if they have not changed since.

        Returns:
            Scene -> its rows of the manifest.
        """
        files = {m: set(_names(self.path / m)) for m in MODALITIES}
        rows: dict[str, list[Row]] = {}
        if (self.path / MANIFEST).is_file():
            for row in read_manifest(self.path):
                rows.setdefault(_scene(row["name"]), []).append(row)
        else:
            records = {scene: self._read_record(scene) for scene in sources}
            rows = {s: r["rows"] for s, r in records.items() if r.get("sources") == sources[s]}
        return {
            scene: tiles
            for scene, tiles in rows.items()
            if all(f"{row['name']}.tif" in files[m] for row in tiles for m in MODALITIES if row[m])
        }

    def _read_record(self, scene: str) -> dict[str, Any]:
        try:
            return json.loads((self.path / RECORDS / f"{scene}.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            # A power cut can leave an empty file: the scene is converted again.
            return {}

    def is_complete(self, scenes: Iterable[str]) -> bool:
        """Whether the manifest is there and every scene is finished."""
        return (self.path / MANIFEST).is_file() and set(scenes) == set(self.finished_scenes({}))

    def begin(self) -> None:
        """Write the recipe, create the folders, and remove files of an interrupted run."""
        # The recipe comes first: it tells this folder from one that the converter did not make.
        write_text(self.path / RECIPE_FILE, json.dumps(self.recipe, indent=2) + "\n")
        self.tidy()
        for name in (RECORDS, *MODALITIES):
            (self.path / name).mkdir(exist_ok=True)

    def record(self, scene: str, rows: Sequence[Row], state: Any) -> None:
        """Note that a scene is finished."""
        content = json.dumps(dict(sources=state, rows=list(rows)))
        write_text(self.path / RECORDS / f"{scene}.json", content)

    def finish(self, rows: Iterable[Row]) -> None:
        """Write the lists and the manifest, and remove the records."""
        write_manifest(self.path, rows)
        self.tidy()

    def tidy(self) -> None:
        """Remove incomplete files and, once there is a manifest, the records."""
        for path in list(self.path.rglob(UNFINISHED)):
            path.unlink(missing_ok=True)
        if (self.path / MANIFEST).is_file():
            shutil.rmtree(self.path / RECORDS, ignore_errors=True)

    def summary(self) -> str:
        """Number of tiles and scenes by split, size on disk, and digest of the manifest."""
        rows = read_manifest(self.path)
        parts = []
        for split in SPLITS:
            names = [row["name"] for row in rows if row["split"] == split]
            parts.append(f"{split} {len(names)} tiles of {len(set(map(_scene, names)))} scenes")
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
    return f"{len(value)} scenes" if isinstance(value, list) else repr(value)
