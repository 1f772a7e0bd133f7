"""What unit the values of images are in, as far as they tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmcloudseg.rasters.band_names import canonical_names
from mmcloudseg.rasters.radiometry import Conversion, Radiometry

REFLECTANCE_RANGE = (0, 10000)
EIGHT_BITS = (0, 255)
CO_POLARISED, CROSS_POLARISED = (-25, 0), (-32.5, 0)
"""Backscatter in dB that is scaled to 0 and 1, as for M3M-CR."""
_DARKER_DB = 3.0
_CLIPPED = 0.5
_EDGES = (0.1, 50, 99.9)


@dataclass(frozen=True)
class Unit:
    """The unit of a modality's files.

    Attributes:
        name: As ``radiometry`` takes it; None if it has no name.
        text: The unit, and what told it.
        low: For each band the value, in the model's unit, that is scaled to 0.
        high: Likewise to 1.
        doubt: What the user has to confirm; empty if the values are clear.
    """

    name: str | None
    text: str
    low: tuple[float, ...]
    high: tuple[float, ...]
    doubt: str = ""


def optical_unit(bands: Sequence[np.ndarray], kind: str, stated: str | None = None) -> Unit:
    """The unit of optical images.

    Args:
        bands: Values of each band, after scale and offset of the files' tags.
        kind: The files' data type.
        stated: What the user says.
    """
    darkest, _, brightest = _percentiles(bands)
    text = f"values {darkest:g} to {brightest:g}, {kind}"
    name, doubt = stated, ""
    if stated is None:
        if kind == "uint8":
            return _eight_bits(bands, text)
        if brightest <= 2:
            name = "reflectance"
        elif brightest <= 150 and kind.startswith("float"):
            name = "percent"
        elif 1000 < brightest <= 30000 and darkest < 5000:
            name = "reflectance_x10000"
        else:
            doubt = "state the unit of the optical images (--optical-unit, or radiometry here)"
    if name is None:
        return Unit(None, f"an unknown unit ({text})", *_outer(bands), doubt)
    low, high = ((edge,) * len(bands) for edge in REFLECTANCE_RANGE)
    return Unit(name, f"{name} ({text})", low, high)


def _eight_bits(bands: Sequence[np.ndarray], text: str) -> Unit:
    low, high = ((edge,) * len(bands) for edge in EIGHT_BITS)
    return Unit(None, f"8-bit values ({text})", low, high)


def sar_unit(
    bands: Sequence[np.ndarray], kind: str, names: Sequence[str], stated: str | None = None
) -> Unit:
    """The unit of SAR images; arguments as of :func:`optical_unit`, and what bands are called."""
    darkest, _, brightest = _percentiles(bands)
    middles = [float(np.median(band)) for band in bands]
    text = f"values {darkest:g} to {brightest:g}, {kind}"
    name, doubt = stated, ""
    if stated is None:
        if kind == "uint8":
            return _eight_bits(bands, text)
        if min(middles) < -100:
            name = "db_x100"
        elif min(middles) < 0:
            name = "db"
        elif max(middles) < 0.15:
            name = "linear"
        else:
            name = "amplitude" if max(middles) > 1.5 else "linear"
            doubt = (
                f"the SAR values may be amplitude or power; {name} is assumed (--sar-unit, or "
                "radiometry here)"
            )
    radiometry = Radiometry("sar", name)
    factor, log = (
        (0.01 if name == "db_x100" else 1.0),
        dict(linear=10, amplitude=20).get(name or "", 0),
    )
    conversion = Conversion((factor,), (0.0,), log)
    decibels = [conversion.apply(band[None, None])[0, 0] for band in bands]
    decibels = [band[np.isfinite(band)] for band in decibels]
    low, high = _backscatter_range(decibels, names)
    return Unit(radiometry.unit, f"{name} ({text})", low, high, doubt)


def _backscatter_range(
    bands: Sequence[np.ndarray], names: Sequence[str]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The usual range of each band in dB; that of the values where they lie elsewhere."""
    middles = [float(np.median(band)) for band in bands]
    known = canonical_names(names) if names else [""] * len(bands)
    usual = []
    for name, middle in zip(known, middles, strict=True):
        crossed = name in ("vh", "hv") or (not name and middle < max(middles) - _DARKER_DB)
        usual.append(CROSS_POLARISED if crossed else CO_POLARISED)
    clipped = [
        np.mean((band <= low) | (band >= high))
        for band, (low, high) in zip(bands, usual, strict=True)
    ]
    if max(clipped) > _CLIPPED:
        return _outer(bands)
    return tuple(low for low, _ in usual), tuple(high for _, high in usual)


def _outer(bands: Sequence[np.ndarray]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The range of each band's values but for the outermost hundredth, at two digits."""
    edges = [np.percentile(band, (1, 99)) for band in bands]
    rounded = [[float(f"{edge:.2g}") for edge in pair] for pair in edges]
    return tuple(a for a, _ in rounded), tuple(b if b > a else a + 1 for a, b in rounded)


def _percentiles(bands: Sequence[np.ndarray]) -> tuple[float, float, float]:
    edges = np.array([np.percentile(band, _EDGES) for band in bands])
    return float(edges[:, 0].min()), float(np.median(edges[:, 1])), float(edges[:, 2].max())
