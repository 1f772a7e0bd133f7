"""Whether files hold what their names say: images, backscatter or maps."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from mmcloudseg.datasets.own.folders import NEEDED, OPTIONS, described
from mmcloudseg.rasters.reading import load_array, open_raster, read_header
from mmcloudseg.utils.errors import DataError
from mmcloudseg.utils.text import shorten_list

IMAGE_BANDS = 3
_SIDE = 512
_OPTIONS_TEXT = " ".join(f"{option} DIR" for option in OPTIONS.values())


def settle_unnamed(
    root: str, files: Mapping[str | None, Sequence[str]], without: Sequence[str]
) -> tuple[dict[str, Sequence[str]], list[str]]:
    """Find out what the files are whose names do not tell their modality.

    They are looked at only if a modality is missing that a network needs. Images of three bands or
    more are then the optical ones, and images with negative values are SAR, if one folder holds
    such. Maps may be labels or cloud masks, which nobody but the user can tell.

    Returns:
        Path key -> paths; and a line for each folder that is left out.

    Raises:
        DataError: If it cannot be told.
    """
    settled = {key: paths for key, paths in files.items() if key and key not in without}
    missing = [key for key in NEEDED if key not in settled]
    unnamed: dict[str, list[str]] = {}
    for path in files.get(None, ()):
        unnamed.setdefault(os.path.dirname(path), []).append(path)
    guesses = {
        folder: _guess(os.path.join(root, paths[0])) if missing else None
        for folder, paths in unnamed.items()
    }
    for key in missing:
        found = [folder for folder, guess in guesses.items() if guess == key]
        if len(found) > 1:
            listed = ", ".join(folder or "." for folder in found)
            raise DataError(
                f"{root}: which of {listed} holds the {described(key)}s cannot be told. Name the "
                f"folders: {_OPTIONS_TEXT}."
            )
        if found:
            settled[key] = unnamed.pop(found[0])
    if unnamed and any(key not in settled for key in missing):
        _cannot_tell(root, *next(iter(unnamed.items())))
    left_out = [
        f"left out {len(paths)} raster(s) whose names tell no modality, or one whose folder is "
        f"stated: {shorten_list(paths, 2)}"
        for paths in unnamed.values()
    ]
    return settled, left_out


def check_kinds(root: str, files: Mapping[str, Sequence[str]], stated: Mapping[str, str]) -> None:
    """Refuse modalities whose names contradict what is in their files.

    Raises:
        DataError: If optical and SAR images, or images and maps, seem to be swapped.
    """
    for key, paths in files.items():
        path = os.path.join(root, paths[0])
        header_count = read_header(path).count
        if key in ("seg_map_path", "cloud_mask_path"):
            odd = header_count != 1
        elif key == "sar_path":
            # A named SAR folder may well hold reflectance-like numbers, but not more bands.
            odd = header_count > 4
        else:
            odd = _guess(path) == "sar_path"
        if odd and key not in stated:
            raise DataError(
                f"{path}: is taken for a {described(key)} by its name, but has {header_count} "
                f"band(s) of {_range(path)}, which does not look like one. If the name is right, "
                f"say so by {OPTIONS[key]} DIR; otherwise name the folders of all modalities."
            )


def _guess(path: str) -> str | None:
    """Path key of an image by its content; None for maps and for what may be several things."""
    count = read_header(path).count
    if count >= IMAGE_BANDS:
        return "img_path"
    values = _values(path)
    return "sar_path" if len(values) and np.percentile(values, 25) < 0 else None


def _values(path: str) -> np.ndarray:
    """Finite values of the first band's middle."""
    if path.endswith(".npy"):
        values = load_array(path, mmap=True)[:_SIDE, :_SIDE]
    else:
        with open_raster(path) as source:
            top, left = (max(side - _SIDE, 0) // 2 for side in source.shape)
            window = (
                (top, min(top + _SIDE, source.height)),
                (left, min(left + _SIDE, source.width)),
            )
            values = source.read(1, window=window, masked=True).compressed()
    values = np.asarray(values).astype(np.float64).ravel()
    return values[np.isfinite(values)]


def _range(path: str) -> str:
    values = _values(path)
    return f"values {values.min():g} to {values.max():g}" if len(values) else "no values"


def _cannot_tell(root: str, folder: str, paths: Sequence[str]) -> None:
    first = os.path.join(root, paths[0])
    raise DataError(
        f"{os.path.join(root, folder)}: whether {shorten_list(map(os.path.basename, paths), 2)} "
        f"are labels, cloud masks or images cannot be told from their names "
        f"({read_header(first).count} band(s), {_range(first)}). Name the folders: "
        f"{_OPTIONS_TEXT}."
    )
