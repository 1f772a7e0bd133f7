"""From the numbers in a file to the unit that models see: reflectance x 10 000 and decibels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import rasterio

from mmcloudseg.utils.errors import DataError

OPTICAL_UNITS = {"reflectance": 1e4, "percent": 1e2, "reflectance_x10000": 1.0}
"""Unit of optical images -> what turns it into the unit that models see."""
SAR_UNITS = {"db": (1.0, 0), "db_x100": (0.01, 0), "linear": (1.0, 10), "amplitude": (1.0, 20)}
"""Unit of SAR images -> a factor and, for n log10, n, that turn it into decibels."""
_REFLECTANCE = 1e4
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Conversion:
    """``values * scale + offset`` for each band, and then ``log10 * log`` if ``log`` is not 0."""

    scale: tuple[float, ...]
    offset: tuple[float, ...]
    log: int = 0

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Convert values of bands x rows x columns, float32; no power, or less, becomes NaN."""
        if any(scale != 1 for scale in self.scale) or any(self.offset):
            scale, offset = (np.array(v)[:, None, None] for v in (self.scale, self.offset))
            values = (values * scale + offset).astype(np.float32)
        if self.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                values = np.float32(self.log) * np.log10(np.where(values > 0, values, np.nan))
        return values


@dataclass(frozen=True)
class Radiometry:
    """What the numbers in the files of one modality mean.

    ``number * scale + offset`` is in ``unit``. Scale and offset that are not stated are those of
    the file's GDAL tags, if it has them. Optical images come to reflectance x 10 000, SAR images
    to decibels. Without a unit, an optical image keeps the numbers of its file, of which only the
    offset is taken away, and a SAR image is taken for decibels, or for what its network expects.

    Attributes:
        modality: ``'optical'`` or ``'sar'``.
        unit: Of optical images ``'reflectance'`` (0 to 1), ``'percent'`` or
            ``'reflectance_x10000'``; of SAR images ``'db'``, ``'db_x100'``, ``'linear'`` (power)
            or ``'amplitude'``; None if it is not known.
        scale: Factor, None if it is not stated.
        offset: Summand after the factor, None if it is not stated.

    Raises:
        ValueError: The unit is unknown, or the scale is 0.
    """

    modality: str
    unit: str | None = None
    scale: float | None = None
    offset: float | None = None

    def __post_init__(self) -> None:
        units = OPTICAL_UNITS if self.modality == "optical" else SAR_UNITS
        if self.unit is not None:
            object.__setattr__(self, "unit", str(self.unit).lower())
        if self.unit not in (None, *units) or self.scale == 0:
            raise ValueError(
                f"radiometry {self.modality}: expected a unit among {', '.join(units)} and a "
                f"scale that is not 0, found unit={self.unit!r} and scale={self.scale}"
            )

    @classmethod
    def of(cls, modality: str, stated: Mapping[str, Any] | None) -> Radiometry:
        """Read what a config states: ``dict(unit=…, scale=…, offset=…)``, each optional."""
        unknown = set(stated or {}) - {"unit", "scale", "offset"}
        if unknown:
            raise ValueError(
                f"radiometry {modality}: unknown key {', '.join(sorted(unknown))}; expected "
                "unit, scale, offset"
            )
        return cls(modality, **(stated or {}))

    @property
    def stated(self) -> bool:
        """Whether a scale or an offset is stated, which answers for the file's own tags."""
        return self.scale is not None or self.offset is not None

    def conversion(self, source: rasterio.DatasetReader, bands: Sequence[int]) -> Conversion:
        """What is to be done with some bands of a raster.

        Raises:
            DataError: What is stated and the file's tags contradict each other.
        """
        tags = [_tags(source, band) for band in bands]
        pairs = [self._linear(source.name, *tag) for tag in tags]
        log = SAR_UNITS[self.unit][1] if self.unit and self.modality == "sar" else 0
        return Conversion(tuple(a for a, _ in pairs), tuple(b for _, b in pairs), log)

    def _linear(self, path: str, scale: float, offset: float) -> tuple[float, float]:
        tagged = (scale, offset) != (1, 0)
        if self.stated:
            stated = (1 if self.scale is None else self.scale, self.offset or 0)
            # The same zero is meant: the scale may lead to another unit.
            if tagged and not np.isclose(stated[1] / stated[0], offset / scale, rtol=1e-3):
                raise DataError(
                    f"{path}: its GDAL tags say scale {scale:g} and offset {offset:g}, but "
                    f"scale {stated[0]:g} and offset {stated[1]:g} are stated for "
                    f"{self.modality} images. Correct `radiometry` (of a scene: --scale, "
                    "--offset), or the tags with gdal_edit -a_scale … -a_offset …"
                )
            scale, offset = stated
            factor = self._factor
        elif not tagged:
            return self._factor, 0.0
        elif self.unit is None:
            if self.modality == "sar":
                return scale, offset
            if not (np.isclose(scale, 1) or np.isclose(scale, 1 / _REFLECTANCE, rtol=0.01)):
                raise DataError(
                    f"{path}: its GDAL tags say scale {scale:g} and offset {offset:g}, but not "
                    "into which unit. State it by the dataset's radiometry "
                    "(optical=dict(unit='reflectance')); of a scene, by --optical-unit."
                )
            # The numbers stay those of the file, which is all that is known of their unit.
            return 1.0, offset / scale
        else:
            factor = self._factor_with_tags(path, scale)
        return _clean(scale * factor), _clean(offset * factor)

    @property
    def _factor(self) -> float:
        if self.unit is None:
            return 1.0
        return OPTICAL_UNITS[self.unit] if self.modality == "optical" else SAR_UNITS[self.unit][0]

    def _factor_with_tags(self, path: str, scale: float) -> float:
        """The factor after the tags; a scaled unit may have been scaled back by them."""
        base = _REFLECTANCE if self.modality == "optical" else 1.0
        scaled = {"percent": 0.01, "reflectance_x10000": 1e-4, "db_x100": 0.01}.get(
            self.unit or ""
        )
        if scaled is None or np.isclose(scale, 1):
            return self._factor
        if np.isclose(scale, scaled, rtol=1e-3):
            return base
        raise DataError(
            f"{path}: its GDAL tags say scale {scale:g}, which does not fit unit={self.unit!r} of "
            f"{self.modality} images (expected {scaled:g}, or none). Correct the unit in "
            "`radiometry`, or state scale and offset there."
        )


def _tags(source: rasterio.DatasetReader, band: int) -> tuple[float, float]:
    scale, offset = source.scales[band - 1], source.offsets[band - 1]
    # Some writers leave a scale of 0 for "none".
    return (float(scale) or 1.0), float(offset)


def _clean(value: float) -> float:
    """Round away what 0.0001 x 10 000 leaves over, so that whole numbers stay whole."""
    whole = round(value)
    return float(whole) if abs(value - whole) < _TOLERANCE * max(abs(value), 1e-3) else value
