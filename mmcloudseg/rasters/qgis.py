"""Legends of class maps for QGIS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET


def write_style(
    path: Path, categories: Sequence[str], palette: Sequence[tuple[int, int, int]]
) -> None:
    """Write the style of a class map: a legend of its classes.

    The colour table of a GeoTIFF always has 256 entries, and QGIS would list them all. It finds
    the style, a ``.qml`` file, by itself if it lies next to the map and has its name.

    Args:
        path: The file.
        categories: Names of the values from 0.
        palette: Their RGB colours, 0 to 255.
    """
    root = ET.Element("qgis", version="3.22", styleCategories="Symbology")
    look = dict(type="paletted", band="1", opacity="1", alphaBand="-1")
    renderer = ET.SubElement(ET.SubElement(root, "pipe"), "rasterrenderer", look)
    entries = ET.SubElement(renderer, "colorPalette")
    for value, (name, colour) in enumerate(zip(categories, palette, strict=True)):
        entry = dict(value=str(value), label=name, color="#{:02x}{:02x}{:02x}".format(*colour))
        ET.SubElement(entries, "paletteEntry", entry, alpha="255")
    path.write_bytes(ET.tostring(root))
