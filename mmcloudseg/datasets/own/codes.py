"""Which codes label maps and cloud masks hold, and what they may mean."""

from __future__ import annotations

import colorsys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmcloudseg.datasets.cloud_masks import LEGENDS
from mmcloudseg.datasets.m3mcr import NO_DATA_CODE, WORLDCOVER
from mmcloudseg.rasters.values import open_map
from mmcloudseg.utils.constants import IGNORE_INDEX
from mmcloudseg.utils.errors import DataError

MAX_CODES = 64
_GOLDEN = 0.618
_SCL_FROM = 3


@dataclass(frozen=True)
class Codes:
    """The codes of some maps.

    Attributes:
        pixels: Code -> number of pixels; nodata and NaN are left out.
        nodata: Values that files declare as nodata.
        whole: Whether all are whole numbers.
    """

    pixels: Mapping[float, int]
    nodata: frozenset[float]
    whole: bool

    @property
    def found(self) -> list[float]:
        """The codes, sorted."""
        return sorted(self.pixels)

    def shares(self) -> str:
        """Code and percent of the pixels, for a report."""
        total = sum(self.pixels.values())
        return ", ".join(f"{code:g} {self.pixels[code] / total:.1%}" for code in self.found)


def count_codes(
    paths: Sequence[str], progress: Callable[[Iterable[str]], Iterable[str]] = iter
) -> Codes:
    """Read maps whole and count their codes.

    Raises:
        DataError: If one is no map of one band.
    """
    pixels, nodata = Counter[float](), set()
    for path in progress(paths):
        with open_map(path) as source:
            if source.header.count != 1:
                raise DataError(
                    f"{path}: has {source.header.count} bands, expected a map of codes with one. "
                    "Turn colours into codes first, or name the folder of the maps."
                )
            values, missing = source.read(nodata=source.nodata)
        if source.nodata is not None:
            nodata.add(source.nodata)
        found, counts = np.unique(values[~missing].astype(np.float64), return_counts=True)
        pixels.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
    return Codes(pixels, frozenset(nodata), all(code.is_integer() for code in pixels))


@dataclass(frozen=True)
class Legend:
    """Classes and the codes that stand for them; ``doubt`` is what the user has to confirm."""

    classes: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    codes: Mapping[int, int]
    doubt: str = ""


def label_legend(codes: Codes, stated: Mapping[float, str] | Sequence[str] | None) -> Legend:
    """The classes of label maps.

    Args:
        codes: What the maps hold.
        stated: Names of the codes' classes in order, or code -> name; codes of one name are one
            class, and those without a name are ignored.

    Raises:
        DataError: If the maps hold no codes of classes, or names do not fit them.
    """
    if not codes.whole or not 0 < len(codes.found) <= MAX_CODES:
        raise DataError(
            f"labels hold {len(codes.found)} different values ({codes.found[:5]} …), expected 1 "
            f"to {MAX_CODES} codes of classes, whole numbers. Name the folder of the label maps "
            "by --label."
        )
    found = [int(code) for code in codes.found]
    worldcover = stated is None and set(found) <= {NO_DATA_CODE, *WORLDCOVER} and max(found) >= 10
    ignored = {IGNORE_INDEX, *(int(code) for code in codes.nodata if float(code).is_integer())}
    doubt = ""
    if worldcover:
        named = {code: WORLDCOVER[code][0] for code in found if code in WORLDCOVER}
    elif isinstance(stated, Mapping):
        strange = set(stated) - set(found)
        if strange:
            raise DataError(f"--classes: no label holds {sorted(strange)}; found {found}.")
        named = {int(code): name for code, name in stated.items() if name}
    else:
        codes_in_use = [code for code in found if code not in ignored]
        if stated is not None and len(stated) != len(codes_in_use):
            raise DataError(
                f"--classes: {len(stated)} names for the {len(codes_in_use)} codes "
                f"{codes_in_use}. Give a name for each, or CODE=NAME pairs."
            )
        named = dict(
            zip(codes_in_use, stated or map("class {}".format, codes_in_use), strict=True)
        )
        doubt = "" if stated else "names of the classes (--classes)"
        if stated is None and 0 in named:
            doubt += "; map code 0 to 255 if it means that there is no label"
    classes = tuple(dict.fromkeys(named.values()))
    index = {code: classes.index(named[code]) if code in named else IGNORE_INDEX for code in found}
    index |= {code: IGNORE_INDEX for code in sorted(ignored) if code >= 0 and code not in index}
    colours = [next(code for code in named if named[code] == name) for name in classes]
    own = set(colours) <= set(WORLDCOVER) and (worldcover or isinstance(stated, Mapping))
    palette = tuple(WORLDCOVER[code][1] for code in colours) if own else _palette(len(classes))
    return Legend(classes, palette, index, doubt)


def mask_rule(codes: Codes, path: str) -> tuple[dict[str, Any], str]:
    """Settings of a dataset that say what cloud masks mean, and what the user has to confirm."""
    values = {int(code) for code in codes.found} if codes.whole else set()
    if values and values <= {0, 1}:
        return {}, ""
    if not codes.whole or len(codes.found) > MAX_CODES:
        top = max(codes.found)
        threshold = 0.4 if top <= 1 else 40
        if top > 100 or min(codes.found) < 0:
            raise DataError(
                f"{path}: cloud masks hold {len(codes.found)} values from {min(codes.found):g} to "
                f"{top:g}, neither codes nor probabilities. Correct --cloud-mask, or leave them "
                "out by --without cloud-mask."
            )
        return dict(cloud_mask_threshold=threshold), "the probability above which a pixel is cloud"
    if values <= {0, 1024, 2048, 3072}:
        return dict(cloud_mask_codes="s2_qa60"), ""
    if values <= {0, 1, 2, 3}:
        return dict(cloud_mask_codes="four_classes"), "whether 1, 2 and 3 are cloud and shadow"
    scene_classes = {code for group in LEGENDS["s2_scl"].values() for code in group}
    if values <= scene_classes and max(values) > _SCL_FROM:
        return dict(cloud_mask_codes="s2_scl"), ""
    if min(values) >= 0 and max(values) >= 1 << 12:
        return dict(cloud_mask_codes="landsat_qa"), "whether these are Landsat's QA_PIXEL"
    groups = dict(clear=[0], cloud=sorted(values - {0}))
    return dict(cloud_mask_codes=groups), "which codes are cloud"


def _palette(count: int) -> tuple[tuple[int, int, int], ...]:
    """Colours that differ in hue and, for many classes, in brightness."""
    shades = [
        colorsys.hsv_to_rgb(index * _GOLDEN % 1, 0.85, (0.9, 0.6)[index % 2])
        for index in range(count)
    ]
    return tuple(tuple(round(255 * part) for part in shade) for shade in shades)  # type: ignore[misc]
