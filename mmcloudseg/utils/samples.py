"""What a sample is called in messages and in file names."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from mmcloudseg.utils.errors import DataError


def sample_name(sample: Any) -> str:
    """The name that the dataset gave a sample, or else the path of its optical image.

    Args:
        sample: A ``SegDataSample``, a mapping or anything else with ``get``.
    """
    return str(sample.get("sample_name") or sample.get("img_path") or "sample")


def sample_stem(sample: Any) -> str:
    """A sample's name as the stem of a file: without folders of a path and without its suffix."""
    name = sample_name(sample).replace("\\", "/")
    return name.replace("/", "_") if sample.get("sample_name") else PurePosixPath(name).stem


class SampleFiles:
    """The files that a test writes, one for each sample.

    Args:
        folder: Where they go.
        by_dataset: Whether each data set has a folder in it, because samples of two data sets may
            have the same name.
    """

    def __init__(self, folder: str | Path, by_dataset: bool) -> None:
        self.folder = Path(folder)
        self.by_dataset = by_dataset
        self._owners: dict[Path, str] = {}

    def path(self, sample: Any, suffix: str) -> Path:
        """The path of a sample's file.

        Raises:
            DataError: Another sample has the same one.
        """
        folder = (
            self.folder / str(sample.get("dataset_name") or "") if self.by_dataset else self.folder
        )
        path = folder / f"{sample_stem(sample)}{suffix}"
        image = str(sample.get("img_path"))
        owner = self._owners.setdefault(path, image)
        if owner != image:
            raise DataError(
                f"{image}: its file would replace {path}, which is that of {owner}. Give their "
                "data sets different names by dataset_name, or rename one of the images."
            )
        return path
