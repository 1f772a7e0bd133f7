"""The rasters of a scene, read tile by tile on the optical grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from mmcloudseg.rasters.grids import RasterGrid
from mmcloudseg.rasters.nodata import Nodata
from mmcloudseg.rasters.reading import RasterHeader, raster_errors
from mmcloudseg.rasters.sampling import ValueSample, sample_values
from mmcloudseg.utils.errors import DataError


@dataclass
class SceneRaster:
    """One open raster of a scene on the optical grid.

    Attributes:
        source: The raster, or its warped view.
        path: The file.
        bands: The bands that the model sees, in its order, from 1.
        nodata: Which pixels hold no data.
        sample: A sample of its values.
    """

    source: rasterio.DatasetReader | WarpedVRT
    path: str
    bands: list[int]
    nodata: Nodata
    sample: ValueSample

    def read(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Read a window, which may reach beyond the scene; missing values become the band's mean.

        Returns:
            Values, bands x rows x columns, float32, and which pixels have data in any band.

        Raises:
            DataError: The file is damaged or incomplete.
        """
        shape = int(window.height), int(window.width)
        values = np.broadcast_to(self.sample.mean[:, None, None], (len(self.bands), *shape)).copy()
        valid = np.zeros(shape, dtype=bool)
        inside = window.intersection(Window(0, 0, self.source.width, self.source.height))
        rows, columns = int(inside.height), int(inside.width)
        with raster_errors(self.path):
            raw, missing = self.nodata.read(self.source, inside, self.bands)
        found = raw.astype(np.float32)
        np.copyto(values[:, :rows, :columns], found, where=~self.nodata.to_fill(found, missing))
        valid[:rows, :columns] = ~missing.all(axis=0)
        return values, valid


@contextmanager
def open_scene_raster(
    path: str,
    bands: Sequence[int] | None,
    expected: int | None,
    what: str,
    nodata: float | None = None,
    grid: RasterGrid | None = None,
    resampling: str = "nearest",
) -> Iterator[SceneRaster]:
    """Open one raster of a scene, check it, and bring it onto the optical grid as it is read.

    Args:
        path: File, or anything else that GDAL opens.
        bands: Which bands to take, from 1; None takes all, which must be as many as expected.
        expected: Number of bands that the model sees; None if it does not see this image.
        what: ``'optical'`` or ``'SAR'``.
        nodata: Replaces the declared nodata value.
        grid: The optical grid, for a SAR image; None for the optical image itself.
        resampling: How the SAR image is warped, by rasterio's name.

    Raises:
        DataError: It cannot be read, has no reference system, other bands than expected, or no
            image in it.
    """
    # Errors of the caller's block, such as a full disk, are not errors of this file.
    with raster_errors(path):
        source = rasterio.open(path)
    with source:
        check_reference(source, what)
        chosen = _choose_bands(source, bands, expected, what)
        declared = Nodata.of(source, chosen, zero_is_data=what == "optical", value=nodata)
        noun = f"{'an' if what == 'optical' else 'a'} {what} image"
        with raster_errors(path):
            sample = sample_values(source, chosen, declared, noun)
        if grid is None or RasterGrid.of(source) == grid:
            yield SceneRaster(source, path, chosen, declared, sample)
            return
        # Outside the SAR image, and where it has no data, the warped one is NaN. By default a
        # pixel without data in one band only would keep that band's nodata value.
        target = dict(crs=grid.crs, transform=grid.transform, width=grid.width, height=grid.height)
        empty = dict(src_nodata=declared.value, nodata=np.nan, UNIFIED_SRC_NODATA="NO")
        kind = dict(resampling=Resampling[resampling], dtype="float32")
        with WarpedVRT(source, **target, **empty, **kind) as warped:
            yield SceneRaster(warped, path, chosen, Nodata(), sample)


def check_reference(source: rasterio.DatasetReader, what: str) -> None:
    """Refuse a raster without a coordinate reference system or geotransform by a DataError."""
    if source.crs is not None and not (source.crs.is_projected or source.crs.is_geographic):
        raise DataError(
            f"{source.name}: the {what} image's reference system is a local one, which lies "
            "nowhere on the earth. Give the file its map projection with gdal_edit -a_srs …"
        )
    if source.crs is None or source.transform.is_identity:
        hint = "Give it one with gdal_edit -a_srs … -a_ullr …, or take a georeferenced file."
        if source.gcps[0]:
            hint = "It has ground control points only: rectify it with gdalwarp."
        lacks = "coordinate reference system" if source.crs is None else "geotransform"
        raise DataError(f"{source.name}: the {what} image has no {lacks}. {hint}")


def _choose_bands(
    source: rasterio.DatasetReader, bands: Sequence[int] | None, expected: int | None, what: str
) -> list[int]:
    option = f"--{what.lower()}-bands"
    held = RasterHeader.of(source).image_bands(expected)
    chosen = list(bands) if bands else held
    beyond = [band for band in chosen if not 1 <= band <= source.count]
    if beyond or len(chosen) != (expected or len(chosen)):
        asked = f"of which {option} takes {chosen}" if bands else "all of which would be taken"
        raise DataError(
            f"{source.name}: has {len(held)} band(s), {asked}; the model sees {expected} {what} "
            f"band(s). Name {expected} of them by {option}, in the order that the model was "
            "trained with, or check that optical and SAR image are not swapped."
        )
    for kind in {source.dtypes[band - 1] for band in chosen}:
        if not kind.startswith(("uint", "int", "float")):
            raise DataError(
                f"{source.name}: values are {kind}, expected real numbers. Take the detected "
                "image (amplitude or power, in the unit that the model was trained with)."
            )
    return chosen
