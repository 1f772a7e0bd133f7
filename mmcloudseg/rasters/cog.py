"""Cloud-optimised GeoTIFFs, written from strips so that no raster has to fit into memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import rasterio
import rasterio.shutil
from rasterio.errors import RasterioError

from mmcloudseg.rasters.grids import RasterGrid

Strip = tuple[Path, int, int]
"""A file, its first row in the whole raster and one past its last."""

_GDAL_TYPES = dict(uint8="Byte", uint16="UInt16")


@dataclass(frozen=True)
class CogContent:
    """What a cloud-optimised GeoTIFF shows.

    Attributes:
        name: Stem of its file.
        dtype: Type of its pixels, ``'uint8'`` or ``'uint16'``.
        nodata: Value of pixels without data.
        bands: A description of each band.
        resampling: How its overviews are made, by GDAL's name.
        scale: Factor from stored to real values.
        palette: Colours of the values from 0.
        categories: Names of the values from 0.
    """

    name: str
    dtype: str
    nodata: int
    bands: tuple[str, ...]
    resampling: str = "AVERAGE"
    scale: float = 1.0
    palette: tuple[tuple[int, int, int], ...] = ()
    categories: tuple[str, ...] = ()


def write_cog(
    folder: Path, content: CogContent, grid: RasterGrid, strips: list[Strip], tags: dict[str, str]
) -> Path:
    """Write a cloud-optimised GeoTIFF, streamed, and read all of it again.

    Deflate, blocks of 512 x 512 pixels, overviews inside, BigTIFF where it may be needed.

    Args:
        folder: The folder of the strips, in which the file is made.
        content: What the raster shows.
        grid: Its pixels on the ground.
        strips: From top to bottom.
        tags: Metadata.

    Returns:
        The file, which appears when it is complete; next to it, ``.aux.xml`` with the names of the
        categories.

    Raises:
        OSError: It could not be written whole.
    """
    mosaic, path = folder / f"{content.name}.vrt", folder / f"{content.name}.cog.tif"
    temporary = path.with_name(f".{path.name}.part")
    try:
        mosaic.write_bytes(_mosaic(content, grid, strips, tags))
        predictor = "yes" if content.dtype == "uint16" else "no"
        storage = dict(compress="deflate", predictor=predictor, blocksize=512, bigtiff="if_safer")
        making = dict(overview_resampling=content.resampling, num_threads="all_cpus")
        rasterio.shutil.copy(mosaic, temporary, driver="COG", **storage, **making)
        _read_whole(temporary, grid)
        move_raster(temporary, path)
    except RasterioError as error:
        raise OSError(f"{path}: {error}") from error
    finally:
        for rest in (temporary, _sidecar(temporary)):
            rest.unlink(missing_ok=True)
    return path


def move_raster(path: Path, out: Path) -> None:
    """Rename a finished file, and its ``.aux.xml`` if it has one, on the same file system."""
    sidecar, final = _sidecar(path), _sidecar(out)
    final.unlink(missing_ok=True)  # of a file that is replaced
    if sidecar.exists():
        os.replace(sidecar, final)
    os.replace(path, out)


def _sidecar(path: Path) -> Path:
    return Path(f"{path}.aux.xml")


def _mosaic(
    content: CogContent, grid: RasterGrid, strips: list[Strip], tags: dict[str, str]
) -> bytes:
    root = ET.Element("VRTDataset", rasterXSize=str(grid.width), rasterYSize=str(grid.height))
    ET.SubElement(root, "SRS").text = grid.crs.to_wkt()
    numbers = (repr(float(value)) for value in grid.transform.to_gdal())
    ET.SubElement(root, "GeoTransform").text = ", ".join(numbers)
    metadata = ET.SubElement(root, "Metadata")
    for key, value in tags.items():
        ET.SubElement(metadata, "MDI", key=key).text = value
    for number, description in enumerate(content.bands, start=1):
        kind = dict(dataType=_GDAL_TYPES[content.dtype], band=str(number))
        band = ET.SubElement(root, "VRTRasterBand", kind)
        ET.SubElement(band, "Description").text = description
        ET.SubElement(band, "NoDataValue").text = str(content.nodata)
        if content.scale != 1:
            ET.SubElement(band, "Scale").text = repr(content.scale)
        if content.palette:
            _add_legend(band, content)
        for path, begin, end in strips:
            _add_strip(band, path.name, number, grid.width, begin, end)
    return ET.tostring(root)


def _add_legend(band: ET.Element, content: CogContent) -> None:
    ET.SubElement(band, "ColorInterp").text = "Palette"
    table = ET.SubElement(band, "ColorTable")
    for red, green, blue in content.palette:
        ET.SubElement(table, "Entry", c1=str(red), c2=str(green), c3=str(blue), c4="255")
    names = ET.SubElement(band, "CategoryNames")
    for name in content.categories:
        ET.SubElement(names, "Category").text = name


def _add_strip(band: ET.Element, name: str, number: int, width: int, begin: int, end: int) -> None:
    source = ET.SubElement(band, "SimpleSource")
    ET.SubElement(source, "SourceFilename", relativeToVRT="1").text = name
    ET.SubElement(source, "SourceBand").text = str(number)
    size = dict(xOff="0", xSize=str(width), ySize=str(end - begin))
    ET.SubElement(source, "SrcRect", dict(size, yOff="0"))
    ET.SubElement(source, "DstRect", dict(size, yOff=str(begin)))


def _read_whole(path: Path, grid: RasterGrid) -> None:
    with rasterio.open(path) as raster:
        if raster.shape != grid.shape:
            raise OSError(f"has {raster.shape} pixels, expected {grid.shape}")
        for _, window in raster.block_windows(1):
            raster.read(window=window)
