"""The two rasters of a scene, opened and checked against what the model sees."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import rasterio
from rasterio.windows import Window

from mmcloudseg.engine.model_description import ModelDescription
from mmcloudseg.rasters.alignment import share_inside
from mmcloudseg.rasters.grids import RasterGrid
from mmcloudseg.rasters.images import ImageRules
from mmcloudseg.rasters.reading import open_raster, raster_session
from mmcloudseg.rasters.scene_raster import SceneRaster, check_reference, open_scene_raster
from mmcloudseg.rasters.sentinel2 import unsaid_offset
from mmcloudseg.rasters.value_checks import check_values
from mmcloudseg.scenes.settings import SceneSettings
from mmcloudseg.utils.errors import DataError

_CACHE_MB = 128
"""GDAL's block cache: enough for a row of tiles, and no more for larger scenes."""
_ALL = 0.999


@dataclass(frozen=True)
class SceneImages:
    """The open images of a scene, on the optical grid.

    Attributes:
        optical: The optical image, whose nodata is the map's.
        sar: The SAR image; None if it is missing.
        description: What the model sees.
    """

    optical: SceneRaster
    sar: SceneRaster | None
    description: ModelDescription

    @property
    def grid(self) -> RasterGrid:
        """The optical grid."""
        return RasterGrid.of(self.optical.source)

    def read(self, window: Window) -> tuple[np.ndarray | None, np.ndarray]:
        """Read the model's bands in a window, which may reach beyond the scene.

        Args:
            window: In pixels of the optical grid.

        Returns:
            Bands x rows x columns in the model's order, float32, NaN for a missing modality, or
            None if the optical image has no data in the window; and rows x columns, True where it
            has data.

        Raises:
            DataError: A file is damaged or incomplete.
        """
        optical, valid = self.optical.read(window)
        if not valid.any():
            return None, valid
        images = []
        for name, count in self.description.counts.items():
            if name == "optical":
                images.append(optical)
            elif self.sar is not None:
                images.append(self.sar.read(window)[0])
            else:
                images.append(np.full((count, *valid.shape), np.nan, dtype=np.float32))
        return np.concatenate(images), valid


@contextlib.contextmanager
def open_scene(
    optical: str, sar: str | None, description: ModelDescription, settings: SceneSettings
) -> Iterator[SceneImages]:
    """Open the optical image, and the SAR image on the optical grid, in one GDAL session.

    Args:
        optical: A file, or anything else that GDAL opens.
        sar: Likewise; None if there is none.
        description: What the model sees.
        settings: Bands, nodata values and resampling.

    Raises:
        DataError: One of them cannot be used, or they show different ground.
    """
    rules = {name: _rules(description, settings, name) for name in description.counts}
    with contextlib.ExitStack() as stack:
        stack.enter_context(raster_session())
        stack.enter_context(rasterio.Env(GDAL_CACHEMAX=_CACHE_MB))
        seen = rules.get("optical", ImageRules("optical", nodata=settings.nodata))
        opened = open_scene_raster(optical, seen, settings.optical_bands)
        images = SceneImages(stack.enter_context(opened), None, description)
        if sar is not None:
            _check_overlap(images.grid, sar)
            opened = open_scene_raster(
                sar, rules["sar"], settings.sar_bands, images.grid, settings.sar_resampling
            )
            images = SceneImages(images.optical, stack.enter_context(opened), description)
        if settings.check_values:
            for name, image in (("sar", images.sar), ("optical", images.optical)):
                if image is not None and name in description.low:
                    _check_values(image, description, rules[name])
        yield images


def _rules(description: ModelDescription, settings: SceneSettings, name: str) -> ImageRules:
    """How a scene's image is read: as the model's dataset states, unless the user says more."""
    return ImageRules(
        modality=name,
        names=description.names[name],
        bands=description.bands.get(name),
        count=description.counts[name],
        nodata=settings.nodata if name == "optical" else settings.sar_nodata,
        radiometry=settings.radiometry(description.radiometry[name]),
    )


def _check_overlap(optical: RasterGrid, path: str) -> None:
    """Refuse a SAR image that covers nothing of the optical image; warn of one that covers a part.

    Compared at evenly spaced points.
    """
    with open_raster(path) as source:
        check_reference(source, "SAR")
        sar = RasterGrid.of(source)
    share = share_inside(optical, sar)
    # A SAR image much smaller than the optical one may lie between its points.
    if share == 0 and share_inside(sar, optical) == 0:
        raise DataError(
            f"{path}: does not overlap the optical image: its origin is {_origin(sar)}, that of "
            f"the optical image {_origin(optical)}. Use the SAR image of the same area, or "
            "correct its coordinate reference system."
        )
    if share < _ALL:
        warnings.warn(
            f"{path}: covers {share:.0%} of the optical image; the rest is mapped without SAR",
            stacklevel=2,
        )


def _origin(grid: RasterGrid) -> str:
    return f"({grid.transform.c:.6g}, {grid.transform.f:.6g}) in {grid.crs}"


def _check_values(raster: SceneRaster, description: ModelDescription, rules: ImageRules) -> None:
    """Refuse values in another unit than the model was trained with; warn of odd ones."""
    name = rules.modality
    if name == "optical" and not (rules.radiometry and rules.radiometry.stated):
        problem = unsaid_offset(raster.reader)
        if problem:
            raise DataError(problem)
    for finding in check_values(
        raster.sample, description.low[name], description.high[name], name
    ):
        if finding.fatal:
            raise DataError(f"{raster.path}: {finding.text}.")
        warnings.warn(f"{raster.path}: {finding.text}", stacklevel=2)
