"""Settings of scene mapping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from rasterio.enums import Resampling

from mmcloudseg.rasters.radiometry import Radiometry

GRIDS = ("label", "optical")
MAX_TILE = 8192
"""Pixels; a single tile of this size takes some ten GiB even with a small network."""
SAR_RESAMPLING = ("nearest", "bilinear", "cubic", "average")


@dataclass(frozen=True)
class SceneSettings:
    """How to map a scene, and what to write in addition to the map.

    Attributes:
        cloud_free: Also write the reconstructed cloud-free image.
        confidence: Also write the probability of the predicted class, in percent.
        probabilities: Also write the probabilities of all classes.
        quicklook: Also draw input, map and legend as a PNG.
        resolution: Grid of the map, confidence and probabilities: ``'label'``, the grid of the
            labels the model was trained on, or ``'optical'``.
        tile_size: Tile size in optical pixels; None takes the window the model is tested with.
        overlap: Optical pixels shared by neighbouring tiles; None takes the model's own.
        batch_size: Tiles per forward pass.
        optical_bands: Bands of the optical file in the model's order, counted from 1; None takes
            the bands the config names, else all.
        sar_bands: Likewise for the SAR file.
        nodata: Nodata value of the optical image; replaces the declared one.
        sar_nodata: Nodata value of the SAR image; replaces the declared one.
        sar_resampling: How SAR is resampled to the optical grid: ``'nearest'`` as in training,
            ``'bilinear'``, ``'cubic'``, or ``'average'`` for SAR finer than the optical image.
        optical_unit: Unit of the optical file, such as ``'reflectance'``; None takes what the
            model's dataset states. See :class:`Radiometry`.
        sar_unit: Likewise of the SAR file: ``'db'``, ``'db_x100'``, ``'linear'``, ``'amplitude'``.
        scale: Factor of the optical file's numbers; None takes its tags, or what is stated.
        offset: Summand after the factor, likewise.
        check_values: Refuse rasters whose values are in another unit than the model's.

    Raises:
        ValueError: A setting is out of range or unknown.
    """

    cloud_free: bool = False
    confidence: bool = False
    probabilities: bool = False
    quicklook: bool = False
    resolution: str = "label"
    tile_size: int | None = None
    overlap: int | None = None
    batch_size: int = 8
    optical_bands: Sequence[int] | None = None
    sar_bands: Sequence[int] | None = None
    nodata: float | None = None
    sar_nodata: float | None = None
    sar_resampling: str = "nearest"
    optical_unit: str | None = None
    sar_unit: str | None = None
    scale: float | None = None
    offset: float | None = None
    check_values: bool = True

    def __post_init__(self) -> None:
        if self.resolution not in GRIDS:
            raise ValueError(f"resolution '{self.resolution}': expected one of {', '.join(GRIDS)}")
        if self.sar_resampling not in Resampling.__members__:
            raise ValueError(
                f"sar_resampling '{self.sar_resampling}': expected one of "
                f"{', '.join(SAR_RESAMPLING)}"
            )
        if self.tile_size is not None and not 1 <= self.tile_size <= MAX_TILE:
            raise ValueError(f"tile_size {self.tile_size}: expected 1 to {MAX_TILE} pixels")
        if self.batch_size < 1:
            raise ValueError(f"batch_size {self.batch_size}: expected 1 or more")
        Radiometry("optical", self.optical_unit, self.scale, self.offset)
        Radiometry("sar", self.sar_unit)

    def radiometry(self, stated: Radiometry) -> Radiometry:
        """What is known of the numbers in a file, given what the model's dataset states."""
        if stated.modality == "sar":
            return Radiometry("sar", self.sar_unit) if self.sar_unit else stated
        if self.scale is not None or self.offset is not None:
            return Radiometry("optical", self.optical_unit, self.scale, self.offset)
        return Radiometry("optical", self.optical_unit) if self.optical_unit else stated


class SceneOptions(TypedDict, total=False):
    """The fields of :class:`SceneSettings` as keyword arguments."""

    cloud_free: bool
    confidence: bool
    probabilities: bool
    quicklook: bool
    resolution: str
    tile_size: int | None
    overlap: int | None
    batch_size: int
    optical_bands: Sequence[int] | None
    sar_bands: Sequence[int] | None
    nodata: float | None
    sar_nodata: float | None
    sar_resampling: str
    optical_unit: str | None
    sar_unit: str | None
    scale: float | None
    offset: float | None
    check_values: bool
