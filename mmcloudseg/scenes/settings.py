"""How a scene is mapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rasterio.enums import Resampling

GRIDS = ("label", "optical")
MAX_TILE = 8192
"""Pixels; a single tile of a small network fills some ten GiB then."""
SAR_RESAMPLING = ("nearest", "bilinear", "cubic", "average")


@dataclass(frozen=True)
class SceneSettings:
    """How a scene is mapped, and what is made beside the map.

    Attributes:
        cloud_free: Also write the reconstruction.
        confidence: Also write the probability of the class shown, in percent.
        probabilities: Also write every class's probability.
        quicklook: Also draw input, map and legend as PNG.
        resolution: Grid of map, confidence and probabilities: ``'label'``, which the model was
            trained on, or ``'optical'``.
        tile_size: Optical pixels of a tile; None takes the window that the model is tested with.
        overlap: Optical pixels that neighbours share; None likewise.
        batch_size: Tiles per forward pass.
        optical_bands: Bands of the optical file in the model's order, from 1; None takes all.
        sar_bands: The same of the SAR file.
        nodata: Nodata value of the optical image, in place of the declared one.
        sar_nodata: The same of the SAR image.
        sar_resampling: How SAR comes to the optical grid: ``'nearest'`` as in training,
            ``'bilinear'``, ``'cubic'``, or ``'average'`` for SAR finer than the optical image.
        check_values: Refuse rasters in another unit than the model was trained with.
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
