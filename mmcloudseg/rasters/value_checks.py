"""Whether an image's values are in the unit that a model expects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmcloudseg.rasters.sampling import ValueSample

_CLIPPED = 0.99
"""Share of values at or beyond the ends of the model's range that cannot be an accident."""
_DARK = 256 / 10_000
"""Share of the range that the brightest values of any image reach; 8-bit values do not."""
_DIM = 0.1
"""Share that images of land usually reach."""
_BRIGHT_PERCENTILE = 99.9
_FILL_SHARE = 0.1
_APART_SHARE = 0.01
_FILL_VALUES = (-9999, -32768, -32767, 65535, 32767, 255, 0)
_BASELINE_OFFSET = 1000
_OPTICAL_REMEDY = (
    "State the files' unit, or their scale and offset, by the dataset's radiometry "
    "(optical=dict(unit='reflectance')); of a scene, by --optical-unit, or --scale and --offset"
)
_SAR_REMEDY = (
    "State the files' unit by the dataset's radiometry (sar=dict(unit='{unit}')); of a scene, by "
    "--sar-unit {unit}"
)


@dataclass(frozen=True)
class ValueFinding:
    """What is odd about an image's values.

    Attributes:
        kind: The same word for the same kind of oddity.
        text: What was found, what was expected and what to do.
        fatal: Whether the values cannot be meant: they are in another unit.
    """

    kind: str
    text: str
    fatal: bool = False


def check_values(
    sample: ValueSample, low: Sequence[float], high: Sequence[float], modality: str
) -> list[ValueFinding]:
    """Compare a sample of an image's values with the range that a model scales to 0 to 1.

    Args:
        sample: Values in the model's unit.
        low: For each band the value that is scaled to 0.
        high: Likewise to 1.
        modality: ``'optical'`` or ``'sar'``.
    """
    bands = [values[np.isfinite(values)] for values in sample.values]
    clipped = [_clipped(*band) for band in zip(sample.values, low, high, strict=True)]
    findings = []
    if min(clipped) > _CLIPPED or (modality == "optical" and _is_dark(bands, low, high)):
        findings.append(_wrong_unit(bands, low, high, modality))
    elif max(clipped) > _CLIPPED:
        odd = [number for number, share in enumerate(clipped, 1) if share > _CLIPPED]
        text = (
            f"{max(clipped):.0%} of the values of band {', '.join(map(str, odd))} lie outside the "
            "range that the model scales to 0 to 1. Check the bands and model.data_preprocessor"
        )
        findings.append(ValueFinding("range", text))
    elif modality == "optical" and _brightest(bands, low, high) < _DIM:
        text = (
            f"the brightest values reach {_brightest(bands, low, high):.1%} of the range that the "
            "model scales to 0 to 1, which dark water does, and values in another unit (x 1000) "
            f"do. {_OPTICAL_REMEDY}"
        )
        findings.append(ValueFinding("dim", text))
    findings += [*_fill_values(bands, low, high), *_infinite(sample)]
    if modality == "optical" and _has_baseline_offset(bands, low, high):
        text = (
            f"hardly a value is below {_darkest(bands):g}, as in Sentinel-2 products "
            "since baseline 04.00, which add 1000. If these do, state it: "
            "radiometry=dict(optical=dict(offset=-1000)), or --offset -1000 for a scene"
        )
        findings.append(ValueFinding("offset", text))
    return findings


def _clipped(values: np.ndarray, low: float, high: float) -> float:
    # An infinite value, the decibels of 0, is at an end too.
    return float(np.mean((values <= low) | (values >= high))) if len(values) else 0.0


def _is_dark(bands: Sequence[np.ndarray], low: Sequence[float], high: Sequence[float]) -> bool:
    """Whether all of an optical image lies at the dark end.

    Some bands may be dark or saturated by nature, but not all of them.
    """
    return _brightest(bands, low, high) < _DARK


def _brightest(bands: Sequence[np.ndarray], low: Sequence[float], high: Sequence[float]) -> float:
    """Share of its range that the brightest values of the brightest band reach."""
    tops = [np.percentile(band, _BRIGHT_PERCENTILE) if len(band) else -np.inf for band in bands]
    return max((t - a) / (b - a) for t, a, b in zip(tops, low, high, strict=True))


def _wrong_unit(
    bands: Sequence[np.ndarray], low: Sequence[float], high: Sequence[float], modality: str
) -> ValueFinding:
    everything = np.concatenate([band for band in bands if len(band)] or [np.zeros(1)])
    smallest, largest = float(everything.min()), float(everything.max())
    if modality == "sar":
        cause, unit = _sar_cause(smallest, float(np.median(everything)))
        remedy = _SAR_REMEDY.format(unit=unit)
    else:
        cause, remedy = _optical_cause(largest), _OPTICAL_REMEDY
    name = "SAR" if modality == "sar" else "optical"
    text = (
        f"the {name} values are {smallest:g} to {largest:g}, but the model was trained with "
        f"{min(low):g} to {max(high):g}. The file may hold {cause}, or the optical and SAR images "
        f"may be swapped. {remedy}"
    )
    return ValueFinding("unit", text, fatal=True)


def _sar_cause(smallest: float, middle: float) -> tuple[str, str]:
    if smallest < -100:
        return "dB x 100", "db_x100"
    if middle > 1.5:
        return "amplitude or 8-bit values instead of dB", "amplitude"
    return "linear units instead of dB (10 log10)", "linear"


def _optical_cause(largest: float) -> str:
    if largest <= 2:
        return "reflectance from 0 to 1"
    return "reflectance in percent, 8-bit values or radiance" if largest <= 256 else "another unit"


def _fill_values(
    bands: Sequence[np.ndarray], low: Sequence[float], high: Sequence[float]
) -> list[ValueFinding]:
    """Warn of values that look like an undeclared nodata value.

    One value that fills a large share of a band, and is a usual fill value or lies apart.
    """
    found: dict[float, float] = {}
    for band, lowest, highest in zip(bands, low, high, strict=True):
        values, counts = np.unique(band, return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            share = count / len(band)
            # Saturated and dark pixels are clipped to an end of the range as they should be.
            outside = not lowest <= value <= highest
            usual = value in _FILL_VALUES and (outside or share > _FILL_SHARE)
            apart = outside and share > _APART_SHARE
            # No backscatter is 0 dB to the last digit.
            zero_db = value == 0 == highest and lowest < 0 and share > _APART_SHARE
            if apart or zero_db or (usual and share > 1e-3 and value != highest):
                found[value] = max(found.get(value, 0), share)
    listed = ", ".join(f"{value:g} ({share:.1%})" for value, share in found.items())
    if not found:
        return []
    text = (
        f"a constant fills much of a band and is not declared as nodata: {listed}. If it means "
        "that there are no data, declare it with gdal_edit -a_nodata, or by the dataset's nodata; "
        "of a scene, by --nodata or --sar-nodata"
    )
    return [ValueFinding("fill", text)]


def _infinite(sample: ValueSample) -> list[ValueFinding]:
    share = max(float(np.isinf(values).mean()) if len(values) else 0.0 for values in sample.values)
    if share < 1e-3:
        return []
    text = (
        f"{share:.1%} of the values of a band are infinite, as decibels of 0 are, and count as "
        "the ends of the range. If they mean that there are no data, write NaN in their place"
    )
    return [ValueFinding("infinite", text)]


def _has_baseline_offset(
    bands: Sequence[np.ndarray], low: Sequence[float], high: Sequence[float]
) -> bool:
    if max(low) != 0 or min(high) < 5 * _BASELINE_OFFSET or not all(map(len, bands)):
        return False
    return _BASELINE_OFFSET <= _darkest(bands) < 1.5 * _BASELINE_OFFSET


def _darkest(bands: Sequence[np.ndarray]) -> float:
    # A few pixels of dark water may lie below the offset.
    return min(np.percentile(b[b > 0], 2) if (b > 0).any() else 0.0 for b in bands)
