"""From strips to one cloud-optimised GeoTIFF."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree as ET

import rasterio
import rasterio.shutil
from rasterio.errors import RasterioError

from mmcloudseg.scenes.grid import SceneGrid
from mmcloudseg.scenes.products import Product
from mmcloudseg.scenes.strips import unwritable

_GDAL_TYPES = dict(uint8="Byte", uint16="UInt16")
_BLOCK_PIXELS = 512


def write_cog(
    folder: Path,
    product: Product,
    grid: SceneGrid,
    strips: Sequence[tuple[Path, int, int]],
    tags: Mapping[str, str],
) -> Path:
    """Write a product as a cloud-optimised GeoTIFF, streamed, and read all of it again.

    Deflate, blocks of 512 x 512, overviews inside, BigTIFF where it may be needed.

    Args:
        folder: Where the strips lie, and where the file is made.
        product: What it is.
        grid: Its pixels on the ground.
        strips: Files, their first rows and their ends, from top to bottom.
        tags: Metadata.

    Returns:
        The file in ``folder``; beside it, ``.aux.xml`` with the categories' names.

    Raises:
        DataError: It could not be written whole.
    """
    mosaic = folder / f"{product.name}.vrt"
    path = folder / f"{product.name}.cog.tif"
    try:
        mosaic.write_bytes(_mosaic(product, grid, strips, tags))
        rasterio.shutil.copy(
            mosaic,
            path,
            driver="COG",
            compress="deflate",
            predictor="yes" if product.dtype == "uint16" else "no",
            blocksize=_BLOCK_PIXELS,
            bigtiff="if_safer",
            overview_resampling=product.resampling,
            num_threads="all_cpus",
        )
        _read_whole(path, grid)
    except (RasterioError, OSError) as error:
        raise unwritable(folder, error) from error
    return path


def write_style(folder: Path, product: Product) -> Path:
    """Write QGIS's style of a class map: a legend of its classes.

    A GeoTIFF's colour table always has 256 entries, and QGIS would list them all.

    Returns:
        The ``.qml`` file in ``folder``; beside the map and with its name QGIS finds it by itself.
    """
    root = ET.Element("qgis", version="3.22", styleCategories="Symbology")
    look = dict(type="paletted", band="1", opacity="1", alphaBand="-1")
    palette = ET.SubElement(
        ET.SubElement(ET.SubElement(root, "pipe"), "rasterrenderer", look), "colorPalette"
    )
    for value, (name, colour) in enumerate(zip(product.categories, product.palette, strict=True)):
        entry = dict(value=str(value), label=name, color="#{:02x}{:02x}{:02x}".format(*colour))
        ET.SubElement(palette, "paletteEntry", entry, alpha="255")
    path = folder / f"{product.name}.qml"
    try:
        path.write_bytes(ET.tostring(root))
    except OSError as error:
        raise unwritable(folder, error) from error
    return path


def publish(path: Path, out: Path) -> None:
    """Give a finished file and its sidecar their final names.

    Raises:
        DataError: The folder does not allow it.
    """
    sidecar, final = Path(f"{path}.aux.xml"), Path(f"{out}.aux.xml")
    try:
        with suppress(FileNotFoundError):
            final.unlink()  # of a file that is replaced
        if sidecar.exists():
            os.replace(sidecar, final)
        os.replace(path, out)
    except OSError as error:
        raise unwritable(out, error) from error


def _mosaic(
    product: Product,
    grid: SceneGrid,
    strips: Sequence[tuple[Path, int, int]],
    tags: Mapping[str, str],
) -> bytes:
    root = ET.Element("VRTDataset", rasterXSize=str(grid.width), rasterYSize=str(grid.height))
    ET.SubElement(root, "SRS").text = grid.crs.to_wkt()
    numbers = (repr(float(value)) for value in grid.transform.to_gdal())
    ET.SubElement(root, "GeoTransform").text = ", ".join(numbers)
    metadata = ET.SubElement(root, "Metadata")
    for key, value in tags.items():
        ET.SubElement(metadata, "MDI", key=key).text = value
    for number, description in enumerate(product.bands, start=1):
        band = ET.SubElement(
            root, "VRTRasterBand", dataType=_GDAL_TYPES[product.dtype], band=str(number)
        )
        ET.SubElement(band, "Description").text = description
        ET.SubElement(band, "NoDataValue").text = str(product.nodata)
        if product.scale != 1:
            ET.SubElement(band, "Scale").text = repr(product.scale)
        if product.palette:
            _add_legend(band, product)
        for path, begin, end in strips:
            _add_strip(band, path.name, number, grid.width, begin, end)
    return ET.tostring(root)


def _add_legend(band: ET.Element, product: Product) -> None:
    ET.SubElement(band, "ColorInterp").text = "Palette"
    table = ET.SubElement(band, "ColorTable")
    for red, green, blue in product.palette:
        ET.SubElement(table, "Entry", c1=str(red), c2=str(green), c3=str(blue), c4="255")
    names = ET.SubElement(band, "CategoryNames")
    for name in product.categories:
        ET.SubElement(names, "Category").text = name


def _add_strip(band: ET.Element, name: str, number: int, width: int, begin: int, end: int) -> None:
    source = ET.SubElement(band, "SimpleSource")
    ET.SubElement(source, "SourceFilename", relativeToVRT="1").text = name
    ET.SubElement(source, "SourceBand").text = str(number)
    size = dict(xOff="0", xSize=str(width), ySize=str(end - begin))
    ET.SubElement(source, "SrcRect", yOff="0", **size)
    ET.SubElement(source, "DstRect", yOff=str(begin), **size)


def _read_whole(path: Path, grid: SceneGrid) -> None:
    with rasterio.open(path) as raster:
        if raster.shape != grid.shape:
            raise OSError(f"has {raster.shape} pixels, expected {grid.shape}")
        for _, window in raster.block_windows(1):
            raster.read(window=window)
