"""Bands of optical and SAR images: one way to read them, for training and for whole scenes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import rasterio
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from mmcloudseg.rasters.band_names import band_numbers, file_band_names, match_bands
from mmcloudseg.rasters.nodata import Nodata
from mmcloudseg.rasters.radiometry import Conversion, Radiometry
from mmcloudseg.rasters.reading import RasterHeader
from mmcloudseg.utils.errors import DataError


@dataclass(frozen=True)
class ImageRules:
    """How the files of one modality are read.

    Attributes:
        modality: ``'optical'`` or ``'sar'``.
        names: Names of the bands of the image; empty if they are not known. A file that names its
            bands is read by name, any other in its own order.
        bands: Which of them to read, by name or by number from 1, in order; None reads all.
        count: How many bands the image has; None takes what the file has.
        nodata: Replaces the nodata value and the mask that a file declares.
        radiometry: What the numbers in the files mean; None if nothing is stated.
    """

    modality: str = "optical"
    names: Sequence[str] = ()
    bands: Sequence[int | str] | None = None
    count: int | None = None
    nodata: float | None = None
    radiometry: Radiometry | None = None

    def held(self, source: rasterio.DatasetReader) -> list[int]:
        """Numbers of the image's bands in a file, in the image's order.

        Raises:
            DataError: The file has, or names, other bands.
        """
        if self.names:
            by_name = match_bands(file_band_names(source), self.names, source.name)
            if by_name is not None:
                return by_name
        held = RasterHeader.of(source).image_bands(self.count)
        if self.count is not None and len(held) != self.count:
            raise DataError(
                f"{source.name}: has {len(held)} bands, expected {self.count}. Correct the file, "
                "or the dataset's metainfo `bands`."
            )
        return held

    def chosen(self, source: rasterio.DatasetReader, held: Sequence[int]) -> list[int]:
        """Numbers in a file of the bands to read.

        Raises:
            DataError: The choice goes beyond the file.
        """
        if self.bands is None:
            return list(held)
        numbers = band_numbers(self.bands, self.names, "LoadRasters(bands=…)")
        if max(numbers) > len(held) or min(numbers) < 1:
            raise DataError(
                f"{source.name}: has bands 1 to {len(held)}, LoadRasters(bands=…) asks for "
                f"{list(self.bands)}. Correct the pipeline."
            )
        return [held[number - 1] for number in numbers]

    def open(self, source: rasterio.DatasetReader) -> BandReader:
        """Prepare to read an open raster.

        Raises:
            DataError: Its bands or its type do not fit, or its tags contradict what is stated.
        """
        held = self.held(source)
        return self.reader(source, self.chosen(source, held), held)

    def reader(
        self, source: rasterio.DatasetReader, bands: Sequence[int], held: Sequence[int] = ()
    ) -> BandReader:
        """Prepare to read given bands of an open raster; ``held`` are those of the image."""
        check_real(source, bands)
        nodata = Nodata.of(source, bands, self.modality == "optical", self.nodata, held)
        radiometry = self.radiometry or Radiometry(self.modality)
        conversion = radiometry.conversion(source, bands)
        return BandReader(source, source.name, tuple(bands), nodata, conversion)


@dataclass(frozen=True)
class BandReader:
    """Reads some bands of an open raster in the unit that models see.

    Attributes:
        source: The raster, or a warped view of it.
        path: The file.
        bands: Their numbers, from 1.
        nodata: Which pixels hold no data.
        conversion: From the numbers in the file to the model's unit.
    """

    source: rasterio.DatasetReader | WarpedVRT
    path: str
    bands: tuple[int, ...]
    nodata: Nodata
    conversion: Conversion

    def read(self, window: Window) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Read a window.

        Returns:
            Values (float32), which of them are missing, and which missing ones have to be
            replaced; each bands x rows x columns. Zeros that stay are missing, not replaced.
        """
        raw, missing = self.nodata.read(self.source, window, self.bands)
        replaced = self.nodata.to_fill(raw, missing)
        values = self.conversion.apply(raw.astype(np.float32))
        if self.conversion.log:
            no_power = np.isnan(values)
            missing, replaced = missing | no_power, replaced | no_power
        return values, missing, replaced

    def on(self, warped: WarpedVRT) -> BandReader:
        """The same bands of a warped view, in which pixels without data are NaN."""
        return dataclasses.replace(self, source=warped, nodata=Nodata())


def check_real(source: rasterio.DatasetReader, bands: Sequence[int]) -> None:
    """Refuse bands of complex numbers or of no numbers at all by a :class:`DataError`."""
    for kind in {source.dtypes[band - 1] for band in bands}:
        if not kind.startswith(("uint", "int", "float")):
            raise DataError(
                f"{source.name}: values are {kind}, expected real numbers. Take the detected "
                "image (amplitude or power), and state its unit: sar=dict(unit='amplitude') or "
                "'linear' in the dataset's radiometry, --sar-unit for a scene."
            )
