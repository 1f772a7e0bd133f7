"""Which raster below a folder is of which modality, by the names of folders and files."""

from __future__ import annotations

import itertools
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from mmcloudseg.datasets.sample_lists import MODALITY_NAMES, RASTER_SUFFIXES
from mmcloudseg.utils.errors import DataError

OPTIONS = {
    "img_path": "--optical",
    "sar_path": "--sar",
    "seg_map_path": "--label",
    "cloud_free_path": "--cloud-free",
    "cloud_mask_path": "--cloud-mask",
}
"""Path key -> the option of ``tools/new_dataset.py`` that names its folder."""

NEEDED = ("img_path", "sar_path", "seg_map_path")

# Words of names; two words that stand next to each other count as one, too. The order decides:
# "S2_clear" is a cloud-free image, "S2_cloud_mask" a mask.
_WORDS = {
    "cloud_mask_path": "cloudmask cloudmasks clouddetection cloudprobability cloudprob cloudcover "
    "clouds cmask fmask scl qa qa60 qapixel s2cloudless cldprb",
    "cloud_free_path": "cloudfree cloudless clear clearsky noclouds planetcloudfree",
    "seg_map_path": "label labels lbl lbls landcover landuse lulc lc gt groundtruth annotation "
    "annotations annot worldcover dynamicworld segmentation semantic target targets classes",
    "sar_path": "sar s1 sentinel1 radar backscatter grd gf3 vv vh vvvh palsar alos iceye "
    "capella terrasarx",
    "img_path": "optical opt s2 sentinel2 msi rgb rgbn rgbnir bgrn ms multispectral cloudy image "
    "images img imgs planet planetscope landsat l8 l9 gf1 gf2 aerial",
}
MODALITY_OF_WORD = {word: key for key, words in _WORDS.items() for word in words.split()}


def tokens(text: str) -> list[str]:
    """Words and numbers of a name, in lower case: ``S2_cloud-mask7`` is s2, cloud, mask7."""
    return re.findall(r"[a-z0-9]+", text.lower())


def is_modality_word(words: list[str], index: int) -> bool:
    """Whether a word of a name tells a modality, alone or with one of its neighbours."""
    near = [words[index]]
    near += ["".join(words[i : i + 2]) for i in (index - 1, index) if 0 <= i < len(words) - 1]
    return any(word in MODALITY_OF_WORD for word in near)


def named_modality(name: str) -> str | None:
    """The path key that a folder's or file's name tells; None if it tells none."""
    words = tokens(name)
    words += [a + b for a, b in itertools.pairwise(words)]
    found = {MODALITY_OF_WORD[word] for word in words if word in MODALITY_OF_WORD}
    return next((key for key in _WORDS if key in found), None)


def rasters_below(folder: str) -> list[str]:
    """Paths of all files below a folder that may be rasters, relative to it and sorted."""
    found = []
    for parent, _, files in os.walk(folder, followlinks=True):
        for file in files:
            if file.lower().endswith(RASTER_SUFFIXES) and not file.startswith("."):
                found.append(os.path.relpath(os.path.join(parent, file), folder))
    return sorted(path.replace(os.sep, "/") for path in found)


def find_files(root: str, stated: Mapping[str, str]) -> dict[str | None, list[str]]:
    """Sort the rasters below a folder by modality.

    Folders tell it by their names, the innermost first; files by theirs where one folder holds
    several modalities, or where no folder's name tells anything. If some optical images are called
    cloudy, and none cloud-free, the others are cloud-free.

    Args:
        root: The folder.
        stated: Path key -> folder, relative to ``root``, of what the user says. Files of these
            modalities elsewhere count as such whose names tell nothing.

    Returns:
        Path key -> paths relative to ``root``; None -> those whose names tell nothing.

    Raises:
        DataError: If a folder is missing or empty.
    """
    if not os.path.isdir(root):
        raise DataError(f"{root}: no such folder. Name the folder that holds your data.")
    found: dict[str | None, list[str]] = defaultdict(list)
    for key, folder in stated.items():
        below = rasters_below(os.path.join(root, folder))
        if not below:
            raise DataError(
                f"{os.path.join(root, folder)}: holds no raster ({', '.join(RASTER_SUFFIXES)}). "
                f"Correct {OPTIONS[key]}, relative to {root}."
            )
        found[key] = [os.path.normpath(os.path.join(folder, path)) for path in below]
    taken = {path for paths in found.values() for path in paths}
    folders: dict[str, list[str]] = defaultdict(list)
    for path in rasters_below(root):
        if path not in taken:
            folders[os.path.dirname(path)].append(path)
    for folder, paths in folders.items():
        for path, told in _by_name(folder, paths).items():
            found[None if told in stated else told].append(path)
    if not found:
        raise DataError(f"{root}: holds no raster ({', '.join(RASTER_SUFFIXES)}).")
    if "cloud_free_path" not in found and "img_path" not in stated:
        # SEN12MS-CR's s2 and s2_cloudy: the images that are not called cloudy are clear.
        clear = [path for path in found["img_path"] if "cloudy" not in tokens(path)]
        if 0 < len(clear) < len(found["img_path"]):
            found["cloud_free_path"] = clear
            found["img_path"] = [path for path in found["img_path"] if path not in set(clear)]
    return {key: paths for key, paths in found.items() if paths}


def _by_name(folder: str, paths: Iterable[str]) -> dict[str, str | None]:
    by_file = {path: named_modality(os.path.splitext(os.path.basename(path))[0]) for path in paths}
    parts = reversed(folder.split("/"))
    by_folder = next((key for key in map(named_modality, parts) if key), None)
    if len(set(by_file.values())) > 1 or by_folder is None:
        return {path: key or by_folder for path, key in by_file.items()}
    return dict.fromkeys(by_file, by_folder)


def described(key: str | None) -> str:
    """What a path key is called in messages."""
    return MODALITY_NAMES[key] if key else "file of an unknown modality"
