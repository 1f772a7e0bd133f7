"""LuojiaSET-OSFCR: really cloudy and clear Sentinel-2 images, Sentinel-1 and land cover."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mmseg.registry import DATASETS

from mmcloudseg.datasets.luojia_files import (
    COVER_BINS,
    FOLDERS,
    bin_folders,
    bin_name,
    bin_of,
    known_patch_of,
    pair_files,
    regions_in,
)
from mmcloudseg.datasets.optical_sar import OpticalSARDataset
from mmcloudseg.utils.errors import DataError

SPLITS = ("train", "val", "test")
NUM_CODES = 6
# Six colours that colour-blind readers tell apart (Okabe and Ito).
PALETTE = [
    [0, 158, 115], [240, 228, 66], [230, 159, 0], [213, 94, 0], [204, 121, 167], [0, 114, 178]
]  # fmt: skip
BANDS = [f"B{number:02d}" for number in range(1, 13)]


@DATASETS.register_module()
class LuojiaOSFCRDataset(OpticalSARDataset):
    """LuojiaSET-OSFCR as published (Pan et al., ISPRS J. 218, 2024, 258-275).

    Five folders of cloud cover, ``0-20%`` to ``80%-100%``, hold patches of 256 x 256 pixels of
    10 m (https://github.com/RSIIPAC/LuojiaSET-OSFCR), each of five files:

    - ``s2_cloudy``, ``s2``: uint16, bands B01 to B08, B8A, B09 to B12, reflectance x 10 000
    - ``s1``: float32, bands VV, VH, backscatter in dB
    - ``cloud_detection_results``: not 0 is cloud
    - ``land_cover_maps``: codes 0 to 5

    Files belong together by the region of interest and the number in their names
    (``ROIs_03_s2_cloudy_p1104.tif``) within a folder of cloud cover; one patch may be in several.

    The publishers give the codes no names: classes are ``class 0`` to ``class 5``, unless
    ``metainfo['classes']`` names all six. 255 is ignored, another code is an error.

    Patches of one region are neighbours, so splits are of whole regions: the regions in the order
    of their names' SHA-256 with ``split_seed``, cut by ``fractions``. The order depends on nothing
    else, the cut on how many regions there are, whatever ``cover_bins`` are asked for.

    Each sample says its ``cloud_cover_bin``, out of ``METAINFO['cloud_cover_bins']``.

    Args:
        data_root: The folder that holds the folders of cloud cover.
        split: ``'train'``, ``'val'`` or ``'test'``.
        split_seed: Another seed, other splits.
        fractions: Of the regions, for training, validation and test; each above 0 gets at least
            one region where there are three or more.
        cover_bins: Folders of cloud cover to use, spelled with or without percent signs; all if
            None.
        metainfo: As in ``OpticalSARDataset``; ``classes`` are six names, or some of the ``class
            N``, the others being ignored.
        kwargs: As in ``OpticalSARDataset``.
    """

    METAINFO = dict(
        classes=tuple(f"class {code}" for code in range(NUM_CODES)),
        palette=PALETTE,
        bands=dict(optical=(*BANDS[:8], "B8A", *BANDS[8:]), sar=("VV", "VH")),
        cloud_cover_bins=COVER_BINS,
    )

    def __init__(
        self,
        data_root: str | None = None,
        split: str = "train",
        split_seed: int = 0,
        fractions: Sequence[float] = (0.8, 0.1, 0.1),
        cover_bins: Sequence[str] | None = None,
        metainfo: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if split not in SPLITS:
            raise ValueError(f"split must be one of {list(SPLITS)}, found {split!r}")
        right = len(fractions) == len(SPLITS) and min(fractions) >= 0
        if not right or abs(sum(fractions) - 1) > 1e-6:
            raise ValueError(
                f"fractions must be {len(SPLITS)} numbers from 0 that sum to 1, for "
                f"{list(SPLITS)}; found {fractions}"
            )
        self.split = split
        self.split_seed = split_seed
        self.fractions = tuple(fractions)
        bins = COVER_BINS if cover_bins is None else map(bin_name, cover_bins)
        self.cover_bins = tuple(dict.fromkeys(bins))
        unknown = set(self.cover_bins) - set(COVER_BINS)
        if unknown or not self.cover_bins:
            raise ValueError(f"cover_bins must be some of {list(COVER_BINS)}, found {cover_bins}")
        units = dict(optical=dict(unit="reflectance_x10000"), sar=dict(unit="db"))
        settings = {"radiometry": units, "cloud_mask_codes": "nonzero", **kwargs}
        super().__init__("", data_root, dict.fromkeys(FOLDERS, ""), metainfo, **settings)

    @classmethod
    def get_label_map(cls, new_classes: Sequence[str] | None = None) -> dict[int, int] | None:
        """Map the codes to some of ``class 0`` … ``class 5``; six other names are their names.

        Raises:
            ValueError: If the names are neither.
        """
        old = cls.METAINFO["classes"]
        if new_classes is None or set(new_classes) <= set(old):
            return super().get_label_map(new_classes)
        if len(set(new_classes)) == NUM_CODES == len(new_classes):
            return None
        raise ValueError(
            f"classes must be {NUM_CODES} names, for the codes 0 to {NUM_CODES - 1}, or some of "
            f"{list(old)}; found {list(new_classes)}"
        )

    def list_samples(self) -> list[dict]:
        """List the split's samples, each with its ``cloud_cover_bin``."""
        samples = super().list_samples()
        return [{**info, "cloud_cover_bin": bin_of(info["img_path"])} for info in samples]

    def list_paths(self) -> list[dict[str, str]]:
        """Path key -> path, for each patch of the bins asked for, in all splits.

        Raises:
            DataError: If folders or files are missing or unpaired.
        """
        root = self.data_root or "."
        folders = bin_folders(root)
        samples, problems = [], []
        for cover_bin in self.cover_bins:
            if cover_bin not in folders:
                problems.append(f"folder of {cover_bin} cloud cover: none in {root}")
                continue
            found, wrong = pair_files(folders[cover_bin])
            samples += found
            problems += wrong
        if problems:
            raise DataError.from_problems(
                f"{root}: missing or unpaired",
                problems,
                "Restore them, remove what is left over of incomplete patches, or name the "
                "folders that you have by the dataset's cover_bins.",
            )
        return samples

    def select(self, paths: list[dict[str, str]]) -> list[dict[str, str]]:
        """Take the samples of the split's regions."""
        # Of all bins that are there: whatever bins are asked for, the splits stay the same.
        regions = set().union(*map(regions_in, bin_folders(self.data_root or ".").values()))
        chosen = split_regions(regions, self.split_seed, self.fractions)[self.split]
        return [sample for sample in paths if known_patch_of(sample["img_path"])[0] in chosen]

    def sample_name(self, img_path: str) -> str:
        """Region, patch and cloud cover: ``ROIs_03_p1104_20-40``."""
        roi, number = known_patch_of(img_path)
        return f"ROIs_{roi}_p{number}_{bin_of(img_path).rstrip('%')}"

    def area(self, img_path: str) -> str:
        """The region of interest: ``ROIs_03``."""
        return f"ROIs_{known_patch_of(img_path)[0]}"

    def missing_root_message(self) -> str:
        """What to say when the data root is not there: how to make or get one."""
        return (
            f"data_root {self.data_root!r} does not exist. Ask for LuojiaSET-OSFCR by the form at "
            "https://github.com/RSIIPAC/LuojiaSET-OSFCR and name its folder (the one with 0-20%, "
            "20%-40%, …) with --data-root PATH, or make a miniature with "
            "`python tools/make_mini_luojia.py data/mini_luojia-osfcr`."
        )

    def no_samples_hint(self) -> str:
        """What to do about a split without regions, or empty folders."""
        return (
            f"No region of interest fell to split={self.split!r} with fractions={self.fractions}, "
            "or the folders are empty: choose other fractions, or check "
            f"{self.data_root}/0-20%/{FOLDERS['img_path']}/ROIs_*_p*.tif."
        )


def split_regions(
    regions: Iterable[str], seed: int, fractions: Sequence[float]
) -> dict[str, set[str]]:
    """Split regions of interest by the fractions for each of ``SPLITS``.

    The splits are disjoint and hold all regions, and do not depend on their order; from three
    regions on, each split whose fraction is above 0 has at least one.
    """
    order = {roi: hashlib.sha256(f"{seed}:{roi}".encode()).hexdigest() for roi in regions}
    shuffled = sorted(order, key=order.__getitem__)
    total = len(shuffled)
    counts = [int(fraction > 0 and total >= len(SPLITS)) for fraction in fractions]
    while sum(counts) < total:
        lacking = [f * total - count for f, count in zip(fractions, counts, strict=True)]
        counts[lacking.index(max(lacking))] += 1
    ends = list(itertools.accumulate(counts, initial=0))
    return {split: set(shuffled[ends[i] : ends[i + 1]]) for i, split in enumerate(SPLITS)}
