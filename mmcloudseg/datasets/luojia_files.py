"""The folders and file names of LuojiaSET-OSFCR."""

from __future__ import annotations

import os
import re

from mmcloudseg.datasets.sample_lists import MODALITY_NAMES
from mmcloudseg.utils.errors import DataError

FOLDERS = dict(
    img_path="s2_cloudy",
    sar_path="s1",
    cloud_free_path="s2",
    cloud_mask_path="cloud_detection_results",
    seg_map_path="land_cover_maps",
)
COVER_BINS = ("0-20%", "20-40%", "40-60%", "60-80%", "80-100%")

_FILE_NAME = re.compile(r"ROIs_(?P<roi>[^_]+)_.*_?p(?P<pid>\d+)\.tif$")
_BIN_NAME = re.compile(r"(\d+)\s*%?\s*-\s*(\d+)\s*%?")


def bin_name(folder_name: str) -> str:
    """A bin's name with one percent sign (``20%-40%`` is ``20-40%``), others as they are."""
    match = _BIN_NAME.fullmatch(folder_name.strip())
    return f"{match[1]}-{match[2]}%" if match else folder_name


def bin_of(path: str) -> str:
    """The bin that a patch's file lies in."""
    return bin_name(os.path.basename(os.path.dirname(os.path.dirname(path))))


def patch_of(path: str) -> tuple[str, str] | None:
    """Region of interest and number of a patch, or None if its file's name has another form."""
    match = _FILE_NAME.match(os.path.basename(path))
    return (match["roi"], match["pid"]) if match else None


def known_patch_of(path: str) -> tuple[str, str]:
    """Region of interest and number of a patch.

    Raises:
        DataError: The file's name has another form.
    """
    patch = patch_of(path)
    if patch is None:
        raise DataError(
            f"{path}: its name tells neither region nor patch; expected a name such as "
            "ROIs_03_s2_cloudy_p1104.tif. Rename it, or describe the data by OpticalSARDataset."
        )
    return patch


def bin_folders(root: str) -> dict[str, str]:
    """Bin -> its folder below a data root, as far as they are there.

    Raises:
        DataError: If there are two of a bin.
    """
    folders: dict[str, str] = {}
    for name in sorted(os.listdir(root)):
        path, cover_bin = os.path.join(root, name), bin_name(name)
        if cover_bin in COVER_BINS and os.path.isdir(path):
            if cover_bin in folders:
                raise DataError(
                    f"{path}: expected one folder of {cover_bin} cloud cover, found also "
                    f"{folders[cover_bin]}. Move one of them away."
                )
            folders[cover_bin] = path
    return folders


def regions_in(folder: str) -> set[str]:
    """Regions of interest of a bin's cloudy images."""
    patches = map(patch_of, _tif_files(folder, FOLDERS["img_path"]))
    return {patch[0] for patch in patches if patch}


def pair_files(folder: str) -> tuple[list[dict[str, str]], list[str]]:
    """Bring the files of the patches in a bin's folder together.

    Returns:
        Path key -> path of each complete patch, in the order of their names, and a line for each
        file that is missing, is there twice, or has a name of another form.
    """
    patches: dict[tuple[str, str], dict[str, str]] = {}
    problems = []
    for key, kind in FOLDERS.items():
        for path in _tif_files(folder, kind):
            patch = patch_of(path)
            if patch is None:
                problems.append(f"{path}: expected a name such as ROIs_03_{kind}_p1104.tif")
                continue
            files = patches.setdefault(patch, {})
            if key in files:
                problems.append(f"{path}: is of the same patch as {files[key]}")
            files.setdefault(key, path)
    samples = []
    for (roi, number), files in sorted(patches.items()):
        missing = [key for key in FOLDERS if key not in files]
        for key in missing:
            pattern = os.path.join(folder, FOLDERS[key], f"ROIs_{roi}_*_p{number}.tif")
            problems.append(
                f"{MODALITY_NAMES[key]} {pattern} of {next(iter(files.values()))}: no such file"
            )
        if not missing:
            samples.append({key: files[key] for key in FOLDERS})
    return samples, problems


def _tif_files(folder: str, kind: str) -> list[str]:
    parent = os.path.join(folder, kind)
    names = os.listdir(parent) if os.path.isdir(parent) else []
    return [
        os.path.join(parent, name)
        for name in sorted(names)
        if name.endswith(".tif") and not name.startswith(".")
    ]
