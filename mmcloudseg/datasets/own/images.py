"""What the images of a modality hold: bands, their names, type, unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmcloudseg.datasets.header_checks import evenly_spaced
from mmcloudseg.datasets.own.units import Unit, optical_unit, sar_unit
from mmcloudseg.rasters.band_names import file_band_names
from mmcloudseg.rasters.images import ImageRules
from mmcloudseg.rasters.reading import open_raster
from mmcloudseg.rasters.sampling import NoValidPixelError, OneValueError, sample_values
from mmcloudseg.rasters.sentinel2 import unsaid_offset
from mmcloudseg.utils.errors import DataError

LOOKED_AT = 16
_BASELINE_OFFSET = 1000


@dataclass(frozen=True)
class Images:
    """What some images of one modality have in common.

    Attributes:
        count: Number of bands.
        kind: Data type.
        names: What the files call their bands; empty unless all are named.
        unit: Of their values.
        tagged: Scale and offset of the files' GDAL tags; None without.
        offset: What has to be added to Sentinel-2's numbers, None if nothing tells.
        notes: What is odd.
    """

    count: int
    kind: str
    names: tuple[str, ...]
    unit: Unit
    tagged: tuple[float, float] | None = None
    offset: float | None = None
    notes: tuple[str, ...] = ()


def look_at_images(
    paths: Sequence[str],
    modality: str,
    unit: str | None = None,
    names: Sequence[str] | None = None,
) -> Images:
    """Look at some images, evenly spaced.

    Args:
        paths: The files.
        modality: ``'optical'`` or ``'sar'``.
        unit: What the user says of their unit.
        names: What the user says of their bands.

    Raises:
        DataError: If files cannot be read, hold other numbers of bands, or no values at all.
    """
    chosen = [paths[index] for index in evenly_spaced(len(paths), LOOKED_AT)]
    looks = [look for path in chosen if (look := _look(path, modality))]
    if not looks:
        raise DataError(
            f"{chosen[0]}: neither it nor the other {len(chosen) - 1} {modality} images looked at "
            "hold an image: one value only, or no data. Name images with data."
        )
    _refuse_different(looks)
    first = looks[0]
    if names is not None and len(names) != first.count:
        raise DataError(
            f"{first.path}: has {first.count} bands, but {len(names)} names are given "
            f"({', '.join(names)}). Give a name for each band."
        )
    alike = all(look.names == first.names for look in looks) and all(first.names)
    named = tuple(names or (first.names if alike else ()))
    bands = [np.concatenate(band) for band in zip(*(look.values for look in looks), strict=True)]
    if modality == "sar":
        measured = sar_unit(bands, first.kind, named, unit)
        return Images(first.count, first.kind, named, measured, first.tagged)
    measured = optical_unit(bands, first.kind, unit)
    offset, note = _baseline(
        bands, measured, next((k.baseline for k in looks if k.baseline), None)
    )
    notes = (note,) if note else ()
    return Images(first.count, first.kind, named, measured, first.tagged, offset, notes)


def _refuse_different(looks: Sequence[_Look]) -> None:
    for attribute, noun in (("count", "bands"), ("kind", "type"), ("tagged", "scale and offset")):
        found = {getattr(look, attribute): look.path for look in looks}
        if len(found) > 1:
            (a, one), (b, other) = list(found.items())[:2]
            raise DataError(
                f"{other}: {noun} {b}, but {one}: {noun} {a}. The files of a modality have to be "
                "alike: correct them, or leave out the folder of one kind."
            )


def _baseline(
    bands: Sequence[np.ndarray], unit: Unit, problem: str | None
) -> tuple[float | None, str | None]:
    """Sentinel-2's offset, as the darkest values tell, and what to say of it."""
    lit = [band[band > 0] for band in bands if (band > 0).any()]
    lowest = min((float(np.percentile(band, 0.1)) for band in lit), default=0.0)
    shifted = lowest >= _BASELINE_OFFSET and unit.name == "reflectance_x10000"
    if problem:
        found = "is still in" if shifted else "has been taken away"
        return (-float(_BASELINE_OFFSET) if shifted else 0.0), (
            "optical images are of Sentinel-2 products since baseline 04.00, which add 1000; the "
            f"darkest values, {lowest:g}, tell that it {found}"
        )
    if shifted:
        return None, (
            f"no optical value is below {lowest:g}, as in Sentinel-2 products since baseline "
            "04.00, which add 1000; state offset=-1000 if these do"
        )
    return None, None


@dataclass(frozen=True)
class _Look:
    path: str
    count: int
    kind: str
    names: tuple[str, ...]
    tagged: tuple[float, float] | None
    values: tuple[np.ndarray, ...]
    baseline: str | None


def _look(path: str, modality: str) -> _Look | None:
    """One image; None if it holds none."""
    with open_raster(path) as source:
        reader = ImageRules(modality=modality).open(source)
        try:
            values = sample_values(reader, "an image").values
        except (NoValidPixelError, OneValueError):
            return None
        scales = {source.scales[band - 1] or 1.0 for band in reader.bands}
        offsets = {source.offsets[band - 1] for band in reader.bands}
        tagged = None
        if (scales, offsets) != ({1.0}, {0.0}):
            tagged = (max(scales), min(offsets))
        if tagged and modality == "optical":
            # Without a stated unit only the offset has been taken away.
            values = tuple(band * np.float32(tagged[0]) for band in values)
        values = tuple(band[np.isfinite(band)] for band in values)
        names = file_band_names(source)
        names = tuple(names[band - 1] for band in reader.bands)
        baseline = unsaid_offset(reader) if modality == "optical" else None
        return _Look(path, len(reader.bands), source.dtypes[0], names, tagged, values, baseline)
