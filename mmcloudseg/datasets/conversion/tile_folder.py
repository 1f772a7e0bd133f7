"""One folder of tiles: its recipe, the scenes that are finished, its lists and its manifest."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmcloudseg.datasets.whu_opt_sar import RECIPE_FILE
from mmcloudseg.utils.errors import DataError
from mmcloudseg.utils.files import write_text

SPLITS = ("train", "val", "test")
MODALITIES = ("optical", "sar", "label", "cloudy", "cloud_opacity", "cloud_mask")
COLUMNS = ("split", "name", *MODALITIES)
MANIFEST = "manifest.csv"
CHECKSUM_BYTES = 16
RECORDS = ".finished"
"""Hidden folder with a file for each finished scene, until all scenes are finished."""
UNFINISHED = ".*.part"
"""What ``atomic_write`` calls its files until they are complete."""

Row = Mapping[str, str]
"""One tile: its split, its name, and the checksum of each modality's pixels ('' for none)."""


def pixel_checksum(pixels: np.ndarray) -> str:
    """BLAKE2b of an image's type, shape and pixels, in hexadecimal digits.

    It does not depend on the file's compression, nor on the machine's byte order.
    """
    digest = hashlib.blake2b(digest_size=CHECKSUM_BYTES)
    digest.update(f"{pixels.dtype.name} {'x'.join(map(str, pixels.shape))}\n".encode())
    digest.update(np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).data)
    return digest.hexdigest()


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
        """Raise a :class:`DataError` if another recipe, or something else, made the folder."""
        if self.path.exists() and not self.path.is_dir():
            raise DataError(f"{self.path}: expected a folder, found a file. Choose another OUT.")
        file = self.path / RECIPE_FILE
        if not file.is_file():
            foreign = [path.name for path in self.path.glob("*") if not path.match(UNFINISHED)]
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
        """Scenes all of whose tiles exist, each with its rows of the manifest.

        Until there is a manifest, a scene is finished only if the state of its published files,
        its value in ``sources``, has not changed since it was converted.
        """
        rows: dict[str, list[Row]] = {}
        if (self.path / MANIFEST).is_file():
            for row in self._read_manifest():
                rows.setdefault(_scene(row["name"]), []).append(row)
        else:
            records = {scene: self._read_record(scene) for scene in sources}
            rows = {s: r["rows"] for s, r in records.items() if r.get("sources") == sources[s]}
        files = {m: {path.stem for path in (self.path / m).glob("*.tif")} for m in MODALITIES}
        return {
            scene: tiles
            for scene, tiles in rows.items()
            if all(row["name"] in files[m] for row in tiles for m in MODALITIES if row[m])
        }

    def _read_manifest(self) -> list[Row]:
        return list(csv.DictReader((self.path / MANIFEST).read_text("utf-8").splitlines()))

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
        """Note that a scene is finished, and the state of its published files."""
        content = json.dumps(dict(sources=state, rows=list(rows)))
        write_text(self.path / RECORDS / f"{scene}.json", content)

    def finish(self, rows: Iterable[Row]) -> None:
        """Write the lists of tiles and, last, the manifest, all sorted; remove the records."""
        rows = sorted(rows, key=lambda row: (SPLITS.index(row["split"]), row["name"]))
        for split in SPLITS:
            names = [row["name"] for row in rows if row["split"] == split]
            write_text(self.path / f"{split}.txt", "".join(f"{name}\n" for name in names))
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_text(self.path / MANIFEST, text.getvalue())
        self.tidy()

    def tidy(self) -> None:
        """Remove incomplete files and, once there is a manifest, the records."""
        for path in list(self.path.rglob(UNFINISHED)):
            path.unlink(missing_ok=True)
        if (self.path / MANIFEST).is_file():
            shutil.rmtree(self.path / RECORDS, ignore_errors=True)

    def summary(self) -> str:
        """Tiles and scenes of each split, size on disk, and a digest to compare two copies by."""
        rows, parts = self._read_manifest(), []
        for split in SPLITS:
            names = [row["name"] for row in rows if row["split"] == split]
            parts.append(f"{split} {len(names)} tiles of {len(set(map(_scene, names)))} scenes")
        size = sum(entry.stat().st_size for m in MODALITIES for entry in os.scandir(self.path / m))
        content = (self.path / MANIFEST).read_bytes()
        digest = hashlib.blake2b(content, digest_size=CHECKSUM_BYTES).hexdigest()
        return (
            f"{self.path}: {', '.join(parts)}; {size / 1e6:.1f} MB\n{self.path}: manifest {digest}"
        )


def _scene(tile: str) -> str:
    return tile.rsplit("_", 2)[0]


def _brief(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_brief(inner)}" for key, inner in value.items())
    return f"{len(value)} scenes" if isinstance(value, list) else repr(value)
