"""Which pixels of a raster hold no data: one rule for training and for whole scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import rasterio
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.windows import Window

HUGE = 1e30
"""Finite values beyond are the fill values of floating-point files, declared or not."""


@dataclass(frozen=True)
class Nodata:
    """Which pixels of a raster hold no data.

    NaN never counts as data, whatever the file declares, nor do values of more than 1e30.

    Attributes:
        value: The nodata value, None if there is none or if it differs between bands.
        values: For each band that is read its nodata value, if they differ; else empty.
        masked: Whether the file has an internal mask or a mask file next to it.
        zero_is_data: Whether a band may hold 0 although 0 is the nodata value, as dark water does
            in optical images. Then only pixels that are 0 in every band hold no data, and they
            stay 0 where other missing values are filled.
        alpha: The band that is 0 where there are no data, None if there is none.
    """

    value: float | None = None
    masked: bool = False
    zero_is_data: bool = False
    alpha: int | None = None
    values: tuple[float | None, ...] = ()

    @classmethod
    def of(
        cls,
        source: rasterio.DatasetReader,
        bands: Sequence[int],
        zero_is_data: bool = False,
        value: float | None = None,
        held: Sequence[int] = (),
    ) -> Nodata:
        """What an open raster declares.

        Args:
            source: The raster.
            bands: Its bands that are read, from 1.
            zero_is_data: As in :class:`Nodata`.
            value: Replaces the declared nodata value and the mask.
            held: Further bands that belong to the image; an alpha band among these or ``bands`` is
                not taken as a mask.
        """
        image = (*bands, *held)
        alpha = next((band for band in alpha_bands(source) if band not in image), None)
        if value is not None:
            return cls(value, False, zero_is_data, alpha)
        declared = tuple(source.nodatavals[band - 1] for band in bands)
        differ = len(set(map(str, declared))) > 1
        masked = _has_mask(source)
        return cls(None if differ else declared[0], masked, zero_is_data, alpha, declared * differ)

    def missing(self, raw: np.ndarray) -> np.ndarray:
        """Find NaN and nodata among values of bands x rows x columns, in the file's type."""
        missing = np.zeros(raw.shape, dtype=bool)
        if raw.dtype.kind == "f":
            with np.errstate(invalid="ignore"):
                missing = np.isnan(raw) | ((np.abs(raw) > HUGE) & np.isfinite(raw))
        if self.value is not None and not np.isnan(self.value):
            nodata = raw == self.value
            missing |= nodata.all(axis=0) if self.zero_stays else nodata
        for index, value in enumerate(self.values):
            if value is not None:
                missing[index] |= raw[index] == value
        return missing

    def read(
        self, source: rasterio.DatasetReader, window: Window, bands: Sequence[int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Read a window in the file's type.

        Returns:
            Values, and which of them are missing; both bands x rows x columns.
        """
        raw = source.read(list(bands), window=window)
        missing = self.missing(raw)
        if self.masked:
            missing |= source.dataset_mask(window=window) == 0
        if self.alpha is not None:
            missing |= source.read(self.alpha, window=window) == 0
        return raw, missing

    def to_fill(self, values: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """Find the missing values that have to be replaced: all, but for zeros that stay."""
        return missing & (values != 0) if self.zero_stays else missing

    @property
    def zero_stays(self) -> bool:
        """Whether 0 is the nodata value but stays 0 where other missing values are filled."""
        return self.zero_is_data and self.value == 0

    def __str__(self) -> str:
        if self.masked or self.alpha is not None:
            return "masked pixels"
        if self.values:
            return "NaN and each band's nodata"
        return "NaN" if self.value is None else f"NaN and nodata ({self.value:g})"


def alpha_bands(source: rasterio.DatasetReader) -> tuple[int, ...]:
    """Numbers of the bands that GDAL takes for an alpha channel, from 1."""
    colours = zip(source.indexes, source.colorinterp, strict=True)
    return tuple(band for band, colour in colours if colour is ColorInterp.alpha)


def _has_mask(source: rasterio.DatasetReader) -> bool:
    # An alpha band is looked at by itself: GDAL knows it as a mask in some files only.
    return any(
        MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags
        for flags in source.mask_flag_enums
    )
