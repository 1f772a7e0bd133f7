"""What the writers of the mini sets share; a set appears when it is complete, or not at all."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from affine import Affine

from mmcloudseg.rasters.reading import raster_session

Progress = Callable[[list[tuple[Any, int]]], Iterable[tuple[Any, int]]]
"""Wraps the list of samples to be made, as ``tqdm`` does."""


@dataclass(frozen=True)
class MiniLayout:
    """The top level of a mini set's folder.

    Attributes:
        marker: Name of the file that says how the folder was made and that it may be replaced.
        tool: File name of the command-line tool that makes the set, for messages.
        folders: Names of the set's folders.
        files: Names of its files, without the marker.
    """

    marker: str
    tool: str
    folders: tuple[str, ...]
    files: tuple[str, ...] = ()

    def _check_target(self, out: Path, force: bool) -> None:
        if out.exists() and not out.is_dir():
            raise FileExistsError(f"{out}: expected a folder, found a file; choose another folder")
        foreign = out.is_dir() and any(out.iterdir()) and not (out / self.marker).is_file()
        if foreign and not force:
            raise FileExistsError(
                f"{out}: the folder is not empty and has no {self.marker}, so it was not made by "
                f"{self.tool}; choose another folder, or use --force to replace "
                f"{', '.join(self.folders + self.files)} in it"
            )

    def write(
        self,
        out: str | Path,
        fill: Callable[[Path], None],
        recipe: Mapping[str, Any],
        force: bool = False,
    ) -> int:
        """Make the set in a hidden folder next to ``out`` and move it there when it is complete.

        Args:
            out: Folder to make; its parents are made as needed.
            fill: Writes the files to the folder that it is given, which has the set's folders.
            recipe: What the marker says about the set.
            force: Whether to replace the set's files in a folder without the marker.

        Returns:
            Bytes written.

        Raises:
            FileExistsError: If ``out`` is a file, or holds something without the marker and
                ``force`` is not given.
        """
        out = Path(out).resolve()
        self._check_target(out, force)
        partial = out.parent / f".{out.name}.partial-{uuid4().hex[:8]}"
        partial.mkdir(parents=True)
        try:
            for folder in self.folders:
                (partial / folder).mkdir()
            with raster_session():
                fill(partial)
            (partial / self.marker).write_text(json.dumps(recipe, indent=2) + "\n")
            size = sum(path.stat().st_size for path in partial.rglob("*") if path.is_file())
            self._install(partial, out)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return size

    def _install(self, partial: Path, out: Path) -> None:
        """Move a complete set to its place; other files in that folder stay."""
        if not out.exists():
            os.rename(partial, out)
            return
        discarded = partial / "replaced"
        discarded.mkdir()
        # The marker comes last: a folder that has it is complete.
        (out / self.marker).unlink(missing_ok=True)
        for name in (*self.folders, *self.files, self.marker):
            if (out / name).exists():
                os.rename(out / name, discarded / name)
            os.rename(partial / name, out / name)


def check_counts(counts: Mapping[str, int], splits: Sequence[str], seed: int) -> dict[str, int]:
    """The number of samples of every split.

    Raises:
        ValueError: If a split is unknown or a number negative.
    """
    if set(counts) - set(splits) or min(counts.values(), default=0) < 0 or seed < 0:
        raise ValueError(
            f"counts: expected numbers from 0 for {', '.join(splits)} and a seed from 0, found "
            f"counts={dict(counts)}, seed={seed}"
        )
    return {split: counts.get(split, 0) for split in splits}


def write_split_lists(
    root: Path,
    counts: Mapping[str, int],
    suffix: str,
    write: Callable[[str, int], str],
    progress: Progress,
) -> None:
    """Write ``counts`` samples of each split, and each split's list ``<root>/<split><suffix>``.

    ``write(split, index)`` writes a sample and returns its line of the list.
    """
    lines = dict.fromkeys(counts, "")
    for split, index in progress([(s, i) for s, count in counts.items() for i in range(count)]):
        lines[split] += write(split, index) + "\n"
    for split, text in lines.items():
        (root / f"{split}{suffix}").write_text(text)


def north_up(origin: tuple[float, float], gsd_m: float) -> Affine:
    """Geotransform of a grid whose upper left corner is ``origin`` (east, north) in metres."""
    return Affine(gsd_m, 0, origin[0], 0, -gsd_m, origin[1])
