"""From bands and classes to colours: pure functions on arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

IGNORED_GREY = (128, 128, 128)
"""Colour of pixels that are no class."""

_GROUND_SHARE = 0.8
_PERCENTILES = (1, 99)


@dataclass(frozen=True)
class Stretch:
    """Display range of three bands, to be shared by images that are compared.

    What lies within the range is shown linearly in the lower 80 % of brightness. Clouds are
    several times brighter than the ground; the rest of the brightness is theirs, so that thick
    and thin cloud don't both end as plain white.

    Attributes:
        low: Three values shown as black.
        high: Three values at which the clouds' part of the brightness starts.
    """

    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, bands: np.ndarray, chosen: np.ndarray | None = None) -> "Stretch":
        """Take the range from an image's own 1st and 99th percentile by band.

        NaN is left out; a band of one value gets a range of width 1.

        Args:
            bands: 3 x H x W image.
            chosen: H x W bool, the pixels to take; None, or no pixel at all, takes the image.
        """
        values = bands.reshape(3, -1)
        if chosen is not None and chosen.any():
            values = bands[:, chosen]
        values = np.where(np.isfinite(values), values, np.nan)
        if np.isnan(values).all():
            return cls(np.zeros(3), np.ones(3))
        low, high = np.nanpercentile(values, _PERCENTILES, axis=1)
        return cls(low, np.where(high > low, high, low + 1))

    def apply(self, bands: np.ndarray) -> np.ndarray:
        """Colour a 3 x H x W image (red, green, blue): H x W x 3 uint8, NaN is black."""
        scaled = (bands - self.low[:, None, None]) / (self.high - self.low)[:, None, None]
        scaled = np.nan_to_num(scaled, nan=0.0, posinf=np.inf)
        ground = _GROUND_SHARE * np.clip(scaled, 0, 1)
        cloud = (1 - _GROUND_SHARE) * -np.expm1(-np.clip(scaled - 1, 0, None))
        return np.round(255 * (ground + cloud)).astype(np.uint8).transpose(1, 2, 0)


def rgb_bands(names: Sequence[str], count: int) -> list[int]:
    """Indices of red, green and blue among ``count`` bands.

    They are found by name, or else taken from the order blue, green, red; fewer than three bands
    give the first one three times.
    """
    known = [name.lower() for name in names]
    for wanted in (("red", "green", "blue"), ("b04", "b03", "b02"), ("b4", "b3", "b2")):
        if all(name in known for name in wanted):
            return [known.index(name) for name in wanted]
    return [2, 1, 0] if count >= 3 else [0, 0, 0]


def pick_bands(image: np.ndarray, rgb_bands: Sequence[int]) -> np.ndarray:
    """Three bands of a C x H x W image, or its first one three times where one is missing."""
    if max(rgb_bands) < len(image):
        return image[list(rgb_bands)]
    return np.repeat(image[:1], 3, axis=0)


def colour_sar(sar: np.ndarray) -> np.ndarray:
    """SAR in false colour: VV, VH and their ratio, each stretched for itself; one band is grey.

    In dB a ratio is a difference. VV and VH arrive scaled, so theirs is a ratio but for a factor
    and an offset, which the stretch takes away.

    Args:
        sar: 1 x H x W, or 2 x H x W of VV and VH; further bands are not shown.

    Returns:
        H x W x 3 uint8.
    """
    if len(sar) == 1:
        bands = np.repeat(sar, 3, axis=0)
    else:
        bands = np.stack([sar[0], sar[1], sar[0] - sar[1]])
    return Stretch.of(bands).apply(bands)


def colour_classes(labels: np.ndarray, palette: Sequence[Sequence[int]]) -> np.ndarray:
    """Paint h x w class indices: h x w x 3 uint8, grey for what the palette lacks (255, …)."""
    table = np.array([*palette, IGNORED_GREY], dtype=np.uint8)
    labels = labels.astype(np.int64)
    known = (labels >= 0) & (labels < len(palette))
    return table[np.where(known, labels, len(palette))]
