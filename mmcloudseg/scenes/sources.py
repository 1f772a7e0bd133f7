"""A scene's rasters, read tile by tile on the optical grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import rasterio
from rasterio.enums import ColorInterp, MaskFlags, Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from mmcloudseg.rasters.reading import unreadable
from mmcloudseg.scenes.grid import SceneGrid
from mmcloudseg.scenes.sampling import Nodata, ValueSample, read_raw, sample_values
from mmcloudseg.utils.errors import DataError


@dataclass
class SceneRaster:
    """One open raster of a scene on the optical grid.

    Attributes:
        source: The raster, or its warped view.
        path: The file.
        bands: Which bands the model sees, in its order, from 1.
        nodata: Its values without data.
        sample: What its values are like.
    """

    source: rasterio.DatasetReader | WarpedVRT
    path: str
    bands: list[int]
    nodata: Nodata
    sample: ValueSample

    def read(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Read a window, which may reach beyond the scene; what has no data becomes the mean.

        Args:
            window: In pixels of the optical grid.

        Returns:
            Values, bands x rows x columns, float32, and which pixels have data in any band.

        Raises:
            DataError: The file is damaged or incomplete.
        """
        shape = (len(self.bands), int(window.height), int(window.width))
        values = np.empty(shape, dtype=np.float32)
        values[:] = self.sample.mean[:, None, None]
        valid = np.zeros(shape[1:], dtype=bool)
        inside = window.intersection(Window(0, 0, self.source.width, self.source.height))
        rows, columns = int(inside.height), int(inside.width)
        with reading(self.path):
            raw, empty = read_raw(self.source, inside, self.bands, self.nodata)
        keep = ~empty
        if self.nodata.zero_is_data and self.nodata.value == 0:
            keep |= raw == 0  # as in training: an undeclared hole is black there too
        np.copyto(values[:, :rows, :columns], raw, where=keep)
        valid[:rows, :columns] = ~empty.all(axis=0)
        return values, valid


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Turn a failure to open or read a raster into a :class:`DataError` that names it."""
    try:
        yield
    except (RasterioError, OSError) as error:
        if path.startswith("/vsi") or "://" in path:
            raise DataError(
                f"{path}: cannot be read ({error}). Check address and access."
            ) from error
        raise unreadable(path, error) from error


@contextmanager
def opened(
    path: str,
    bands: Sequence[int] | None,
    expected: int | None,
    what: str,
    nodata: float | None = None,
    grid: SceneGrid | None = None,
    resampling: str = "nearest",
) -> Iterator[SceneRaster]:
    """Open one raster of a scene, check it, and bring it onto the optical grid as it is read.

    Args:
        path: File, or anything that GDAL opens (``/vsicurl/…``, ``https://…``).
        bands: Which bands to take, from 1; None takes all, which must be as many as expected.
        expected: Number of bands that the model sees; None if it does not see this image.
        what: ``'optical'`` or ``'SAR'``.
        nodata: Replaces the declared nodata value.
        grid: The optical grid, for a SAR image; None for the optical image itself.
        resampling: How the SAR image is warped, by rasterio's name.

    Yields:
        The raster.

    Raises:
        DataError: It cannot be read, has no reference system, other bands than expected, or no
            image in it.
    """
    with reading(path):
        source = rasterio.open(path)
    with source:
        check_reference(source, what)
        chosen = _choose_bands(source, bands, expected, what)
        none = Nodata(
            source.nodata if nodata is None else nodata,
            nodata is None and _has_mask(source),
            what == "optical",
            _alpha_beside(source, chosen),
        )
        with reading(path):
            sample = sample_values(
                source, chosen, none, f"{'an' if what == 'optical' else 'a'} {what} image"
            )
        if grid is None or SceneGrid.of(source) == grid:
            yield SceneRaster(source, path, chosen, none, sample)
            return
        with _warped(source, grid, none, resampling) as warped:
            # Outside the SAR image, and where it has no data, the warped one is NaN.
            yield SceneRaster(warped, path, chosen, Nodata(None, False, False), sample)


def _warped(
    source: rasterio.DatasetReader, grid: SceneGrid, nodata: Nodata, resampling: str
) -> WarpedVRT:
    return WarpedVRT(
        source,
        crs=grid.crs,
        transform=grid.transform,
        width=grid.width,
        height=grid.height,
        src_nodata=nodata.value,
        nodata=np.nan,
        dtype="float32",
        resampling=Resampling[resampling],
        # By default a pixel without data in one band only would keep that band's nodata value.
        UNIFIED_SRC_NODATA="NO",
    )


def check_reference(source: rasterio.DatasetReader, what: str) -> None:
    """Refuse a raster that does not say where it lies.

    Raises:
        DataError: It has no coordinate reference system or no geotransform.
    """
    if source.crs is not None and not (source.crs.is_projected or source.crs.is_geographic):
        raise DataError(
            f"{source.name}: the {what} image's reference system is a local one, which lies "
            "nowhere on the earth. Give the file its map projection with gdal_edit -a_srs …"
        )
    if source.crs is None or source.transform.is_identity:
        hint = (
            "It has ground control points only: rectify it with gdalwarp."
            if source.gcps[0]
            else "Give it one with gdal_edit -a_srs … -a_ullr …, or take a georeferenced file."
        )
        lacks = "coordinate reference system" if source.crs is None else "geotransform"
        raise DataError(f"{source.name}: the {what} image has no {lacks}. {hint}")


def _choose_bands(
    source: rasterio.DatasetReader, bands: Sequence[int] | None, expected: int | None, what: str
) -> list[int]:
    option = f"--{what.lower()}-bands"
    held = list(source.indexes)
    if len(held) != expected:  # GDAL takes the fourth of four 8-bit bands for alpha: maybe NIR
        held = [band for band in held if source.colorinterp[band - 1] is not ColorInterp.alpha]
    chosen = list(bands) if bands else held
    beyond = [band for band in chosen if not 1 <= band <= source.count]
    if beyond or len(chosen) != (expected or len(chosen)):
        asked = f"of which {option} takes {chosen}" if bands else "all of which would be taken"
        raise DataError(
            f"{source.name}: has {len(held)} band(s), {asked}; the model sees {expected} {what} "
            f"band(s). Name {expected} of them by {option}, in the order that the model was "
            "trained with, or check that optical and SAR image are not swapped."
        )
    kinds = {source.dtypes[band - 1] for band in chosen}
    odd = [kind for kind in kinds if not np.issubdtype(np.dtype(kind), np.number)]
    odd += [kind for kind in kinds if "complex" in kind]
    if odd:
        raise DataError(
            f"{source.name}: values are {odd[0]}, expected real numbers. Take the detected image "
            "(amplitude or power, in the unit that the model was trained with)."
        )
    return chosen


def _has_mask(source: rasterio.DatasetReader) -> bool:
    # An alpha band is looked at by itself: GDAL knows it as a mask in some files only.
    return any(
        MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags
        for flags in source.mask_flag_enums
    )


def _alpha_beside(source: rasterio.DatasetReader, bands: Sequence[int]) -> int | None:
    """The alpha band, unless it is taken for one of the image's."""
    for band, colour in zip(source.indexes, source.colorinterp, strict=True):
        if colour is ColorInterp.alpha and band not in bands:
            return band
    return None
