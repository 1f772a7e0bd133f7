"""M3M-CR: cloudy and clear PlanetScope images, Sentinel-1 and WorldCover labels."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mmseg.registry import DATASETS

from mmcloudseg.datasets.optical_sar import OpticalSARDataset
from mmcloudseg.datasets.sample_lists import list_names
from mmcloudseg.utils.constants import IGNORE_INDEX
from mmcloudseg.utils.errors import DataError

# In the order of the CSV lists' columns.
FILE_KINDS = dict(
    cloud_free_path=("planet_cloudfree", ".tif"),
    img_path=("planet_cloudy", ".tif"),
    sar_path=("S1", ".tif"),
    seg_map_path=("landcover", ".tif"),
    cloud_mask_path=("cloudmask", ".npy"),
)
# Grids of 10 m next to the optical image's 3 m: 90 x 90 pixels to its 300 x 300.
COARSE_PER_FINE = 0.3

SENTINEL_UNITS = dict(optical=dict(unit="reflectance_x10000"), sar=dict(unit="db"))

# Codes, names and colours of ESA WorldCover 10 m (product user manual, v2.0, table 1).
WORLDCOVER = {
    10: ("tree cover", (0, 100, 0)),
    20: ("shrubland", (255, 187, 34)),
    30: ("grassland", (255, 255, 76)),
    40: ("cropland", (240, 150, 255)),
    50: ("built-up", (250, 0, 0)),
    60: ("bare / sparse vegetation", (180, 180, 180)),
    70: ("snow and ice", (240, 240, 240)),
    80: ("permanent water bodies", (0, 100, 200)),
    90: ("herbaceous wetland", (0, 150, 160)),
    95: ("mangroves", (0, 207, 117)),
    100: ("moss and lichen", (250, 230, 160)),
}
NO_DATA_CODE = 0
COARSE_CLASSES = {
    "forest": (10,),
    "rangeland": (30, 20),
    "agriculture": (40,),
    "urban": (50,),
    "barren": (60,),
    "water": (80, 90),
}
LEVELS: dict[str, dict[str, Any]] = dict(
    coarse=dict(
        classes=tuple(COARSE_CLASSES),
        palette=[list(WORLDCOVER[codes[0]][1]) for codes in COARSE_CLASSES.values()],
        codes=dict.fromkeys((NO_DATA_CODE, *WORLDCOVER), IGNORE_INDEX)
        | {code: i for i, codes in enumerate(COARSE_CLASSES.values()) for code in codes},
    ),
    fine=dict(
        classes=tuple(name for name, _ in WORLDCOVER.values()),
        palette=[list(colour) for _, colour in WORLDCOVER.values()],
        codes={NO_DATA_CODE: IGNORE_INDEX, **{code: i for i, code in enumerate(WORLDCOVER)}},
    ),
)


@DATASETS.register_module()
class M3MCRDataset(OpticalSARDataset):
    """M3M-CR (also M3R-CR) as published (Xu et al., ISPRS J. 214, 2024, 21-32).

    Each sample is five files of one place, 900 m x 900 m, in UTM:

    - ``planet_cloudy_*``, ``planet_cloudfree_*``: uint16, 300 x 300 at 3 m, bands blue, green,
      red, NIR, reflectance x 10 000
    - ``S1_*``: float64, 90 x 90 at 10 m, bands VV, VH, backscatter in dB
    - ``landcover_*``: uint8, 90 x 90 at 10 m, ESA WorldCover codes
    - ``cloudmask_*``: bool, 300 x 300, True is cloud

    All are below ``data_prefix['img_path']`` (``train`` or ``test``). ``ann_file`` is the
    published CSV list, which does not name its columns (cloud-free, cloudy, S1, land cover, cloud
    mask); without it, every ``planet_cloudy_*`` image there is a sample.

    Classes, ``level='coarse'``: forest (code 10), rangeland (20, 30), agriculture (40), urban
    (50), barren (60), water (80, 90); snow, mangroves, moss and no data are ignored.
    ``level='fine'``: the 11 WorldCover classes. Another code is an error.

    Neighbours look alike, so a validation set is held out by whole areas of interest: the number
    in a folder's name (``planet_cloudy_fall_1`` is area 1). The season does not count, because one
    number may stand for one place in several seasons. Whether an area is held out depends on its
    number alone, not on the list.

    Args:
        ann_file: The CSV list, relative to ``data_root``.
        data_root: The folder that holds lists and samples.
        data_prefix: ``dict(img_path='train')``: the folder that paths are relative to.
        metainfo: As in ``OpticalSARDataset``; ``classes`` may be some of the level's classes, the
            others are ignored.
        level: ``'coarse'`` (6 classes) or ``'fine'`` (11).
        holdout_fraction: Fraction of areas to hold out, 0 to 1.
        holdout: ``'exclude'`` leaves the held-out areas out, ``'only'`` takes nothing else.
        kwargs: As in ``OpticalSARDataset``.
    """

    METAINFO = dict(
        classes=LEVELS["coarse"]["classes"],
        palette=LEVELS["coarse"]["palette"],
        bands=dict(optical=("blue", "green", "red", "nir"), sar=("VV", "VH")),
    )

    def __init__(
        self,
        ann_file: str = "",
        data_root: str | None = None,
        data_prefix: Mapping[str, str] | None = None,
        metainfo: Mapping[str, Any] | None = None,
        level: str = "coarse",
        holdout_fraction: float = 0.0,
        holdout: str = "exclude",
        **kwargs: Any,
    ) -> None:
        if level not in LEVELS:
            raise ValueError(f"level must be one of {list(LEVELS)}, found {level!r}")
        if holdout not in ("exclude", "only") or not 0 <= holdout_fraction <= 1:
            raise ValueError(
                "holdout must be 'exclude' or 'only' and holdout_fraction 0 to 1, found "
                f"{holdout!r} and {holdout_fraction}"
            )
        self.holdout = holdout
        self.holdout_fraction = holdout_fraction
        names = {key: LEVELS[level][key] for key in ("classes", "palette")}
        folder = (data_prefix or {}).get("img_path", "")
        settings = dict(csv_columns=tuple(FILE_KINDS), label_codes=LEVELS[level]["codes"])
        settings.update(label_scale=COARSE_PER_FINE, sar_scale=COARSE_PER_FINE)
        settings.update(radiometry=SENTINEL_UNITS)
        prefix = {**dict.fromkeys(FILE_KINDS, folder), **(data_prefix or {})}
        names.update(metainfo or {})
        super().__init__(ann_file, data_root, prefix, names, **{**settings, **kwargs})

    @classmethod
    def get_label_map(cls, new_classes: Sequence[str] | None = None) -> dict[int, int] | None:
        """Map a level's class indices to those of some of its classes, in the order wanted.

        Returns:
            Index in the level -> index in ``new_classes``, 255 if left out; None if they are the
            level's classes.

        Raises:
            ValueError: If a name belongs to neither level, or names are of both.
        """
        new = list(new_classes if new_classes is not None else cls.METAINFO["classes"])
        levels = {name: list(level["classes"]) for name, level in LEVELS.items()}
        for old in levels.values():
            if new == old:
                return None
            if set(new) <= set(old):
                wanted = [new.index(name) if name in new else IGNORE_INDEX for name in old]
                return dict(enumerate(wanted))
        raise ValueError(
            f"classes {new} are not all of one level: in metainfo, choose names of one of {levels}"
        )

    def list_paths(self) -> list[dict[str, str]]:
        """Path key -> path, for each row of the list, or each cloudy image without a list."""
        if self.ann_file:
            return super().list_paths()
        folder = self.data_prefix["img_path"] or "."
        self.check_folders(dict(img_path=folder))
        cloudy = FILE_KINDS["img_path"][0]
        return [
            {
                key: os.path.join(folder, name.replace(cloudy, kind) + suffix)
                for key, (kind, suffix) in FILE_KINDS.items()
            }
            for name in list_names(folder, ".tif", [".npy"])
            if os.path.basename(name).startswith(cloudy)
        ]

    def select(self, paths: list[dict[str, str]]) -> list[dict[str, str]]:
        """Leave out, or take only, the samples of held-out areas."""
        wanted, fraction = self.holdout == "only", self.holdout_fraction
        if fraction == 0 and not wanted:
            return paths
        return [s for s in paths if is_held_out(area_number(s["img_path"]), fraction) == wanted]

    def sample_name(self, img_path: str) -> str:
        """Season, area and patch: ``fall_1_p_457``."""
        name = os.path.splitext(os.path.basename(img_path))[0]
        return name.removeprefix(FILE_KINDS["img_path"][0] + "_")

    def area(self, img_path: str) -> str:
        """Number of the area of interest, whatever the season; the sample's name without one."""
        try:
            return str(area_number(img_path))
        except DataError:
            return self.sample_name(img_path)

    def missing_root_message(self) -> str:
        """What to say when the data root is not there: how to make or name one."""
        root = self.data_root.rstrip("/")
        mini = root if "mini" in os.path.basename(root) else "data/mini_m3mcr"
        return (
            f"data_root {self.data_root!r} does not exist. Make the mini data set with "
            f"`python tools/make_mini_m3mcr.py {mini}`, or name your copy of M3M-CR (the folder "
            "with train.csv, test.csv, train/ and test/) with --data-root PATH."
        )

    def no_samples_hint(self) -> str:
        """What to do about a list without samples, or a holdout that leaves none."""
        if self.holdout_fraction or self.holdout == "only":
            return (
                f"holdout={self.holdout!r} with holdout_fraction={self.holdout_fraction} leaves "
                "none: choose another fraction."
            )
        return "Expected rows of a CSV list, or planet_cloudy_*.tif below the folder."


def area_number(img_path: str) -> int:
    """The number of a sample's area of interest, from its folder or file name.

    Raises:
        DataError: If neither has the published form.
    """
    folder, file_name = os.path.split(img_path)
    match = re.search(r"_(\d+)_p_\d+\.\w+$", file_name) or re.search(r"_(\d+)$", folder)
    if match is None:
        raise DataError(
            f"{img_path}: its name tells no area of interest; expected "
            "planet_cloudy_SEASON_AREA/planet_cloudy_SEASON_AREA_p_N.tif. Rename it, or set "
            "holdout_fraction=0."
        )
    return int(match[1])


def is_held_out(area: int, fraction: float) -> bool:
    """Whether an area is held out; the areas of a smaller fraction are among a larger one's."""
    digest = hashlib.sha256(f"area {area}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < fraction * 2**64
