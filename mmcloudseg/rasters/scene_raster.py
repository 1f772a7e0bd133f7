"""The rasters of a scene, read tile by tile on the optical grid."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import rasterio
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from mmcloudseg.rasters.alignment import warped_view
from mmcloudseg.rasters.band_names import file_band_names, match_bands, unread_names
from mmcloudseg.rasters.grids import RasterGrid
from mmcloudseg.rasters.images import BandReader, ImageRules
from mmcloudseg.rasters.nodata import Nodata
from mmcloudseg.rasters.reading import RasterHeader, raster_errors
from mmcloudseg.rasters.sampling import ValueSample, sample_values
from mmcloudseg.utils.errors import DataError


@dataclass
class SceneRaster:
    """One open raster of a scene on the optical grid.

    Attributes:
        reader: Reads the bands that the model sees, in its order.
        sample: A sample of its values.
    """

    reader: BandReader
    sample: ValueSample

    @property
    def path(self) -> str:
        """The file."""
        return self.reader.path

    @property
    def source(self) -> rasterio.DatasetReader | WarpedVRT:
        """The raster, or its warped view."""
        return self.reader.source

    @property
    def bands(self) -> list[int]:
        """The bands that the model sees, in its order, from 1."""
        return list(self.reader.bands)

    @property
    def nodata(self) -> Nodata:
        """Which pixels hold no data."""
        return self.reader.nodata

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
            found, missing, replaced = self.reader.read(inside)
        np.copyto(values[:, :rows, :columns], found, where=~replaced)
        valid[:rows, :columns] = ~missing.all(axis=0)
        return values, valid


@contextmanager
def open_scene_raster(
    path: str,
    rules: ImageRules,
    chosen: Sequence[int] | None = None,
    grid: RasterGrid | None = None,
    resampling: str = "nearest",
) -> Iterator[SceneRaster]:
    """Open one raster of a scene, check it, and bring it onto the optical grid as it is read.

    Args:
        path: File, or anything else that GDAL opens.
        rules: How the model's images of this modality are read: ``names`` and ``count`` are those
            of the bands that it sees, ``bands`` says which of an unnamed file's bands these are.
        chosen: Which bands to take, from 1, whatever the rules say.
        grid: The optical grid, for a SAR image; None for the optical image itself.
        resampling: How the SAR image is warped, by rasterio's name.

    Raises:
        DataError: It cannot be read, has no reference system, other bands than expected, or no
            image in it.
    """
    what = "optical" if rules.modality == "optical" else "SAR"
    # Errors of the caller's block, such as a full disk, are not errors of this file.
    with raster_errors(path):
        source = rasterio.open(path)
    with source:
        check_reference(source, what)
        bands = _choose_bands(source, rules, chosen, what)
        reader = replace(rules.reader(source, bands), path=path)
        noun = f"{'an' if what == 'optical' else 'a'} {what} image"
        with raster_errors(path):
            sample = sample_values(reader, noun)
        if grid is None or RasterGrid.of(source) == grid:
            yield SceneRaster(reader, sample)
            return
        with warped_view(source, grid, reader.nodata, resampling) as warped:
            yield SceneRaster(reader.on(warped), sample)


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
    source: rasterio.DatasetReader, rules: ImageRules, chosen: Sequence[int] | None, what: str
) -> list[int]:
    option, expected = f"--{what.lower()}-bands", rules.count
    held = RasterHeader.of(source).image_bands(expected)
    if not chosen:
        by_name = match_bands(file_band_names(source), rules.names, source.name)
        if by_name is not None:
            return by_name
        unread = unread_names(file_band_names(source), rules.names, source.name)
        if unread:
            warnings.warn(f"{unread}, or name them by {option}", stacklevel=2)
        chosen = [int(band) for band in rules.bands or ()]
    bands = list(chosen) or held
    beyond = [band for band in bands if not 1 <= band <= source.count]
    if beyond or len(bands) != (expected or len(bands)):
        asked = f"of which {option} takes {bands}" if chosen else "all of which would be taken"
        raise DataError(
            f"{source.name}: has {len(held)} band(s), {asked}; the model sees {expected} {what} "
            f"band(s). Name {expected} of them by {option}, in the order that the model was "
            "trained with, or check that optical and SAR image are not swapped."
        )
    return bands
