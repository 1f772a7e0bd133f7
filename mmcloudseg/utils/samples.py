"""What a sample is called in messages and in file names."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any


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
