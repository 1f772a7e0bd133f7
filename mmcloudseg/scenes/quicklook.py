"""A picture of a scene: input, map and legend."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import rasterio
from PIL import Image

from mmcloudseg.rasters.reading import raster_errors
from mmcloudseg.rasters.scene_raster import SceneRaster
from mmcloudseg.scenes.inputs import SceneImages
from mmcloudseg.visualization.colours import Stretch, colour_classes, colour_sar, rgb_bands
from mmcloudseg.visualization.figure import PanelRow, draw_rows

_SIDE_PIXELS = 1000
_DPI = 300


def write_quicklook(files: Mapping[str, Path], images: SceneImages, title: str) -> Path:
    """Draw a scene, of which only as many pixels are read as are shown.

    Args:
        files: ``map``, and ``cloud_free`` and ``confidence`` if they were made.
        images: The scene's images.
        title: Line above the panels.

    Returns:
        The picture, a PNG in the map's folder.
    """
    description = images.description
    panels = {}
    optical = _shown(images.optical)
    rgb = rgb_bands(description.optical_names, len(optical))
    clear = _read(files["cloud_free"])[rgb] if "cloud_free" in files else None
    stretch = ground_range(optical[rgb], clear)
    panels["optical"] = stretch.apply(optical[rgb])
    if images.sar is not None:
        panels["SAR"] = colour_sar(_shown(images.sar))
    if clear is not None:
        panels["cloud-free"] = stretch.apply(clear)
    with rasterio.open(files["map"]) as source:
        labels = source.read(1, out_shape=_size(source))
    panels["land cover"] = colour_classes(labels, description.palette)
    if "confidence" in files:
        percent = _read(files["confidence"])[0]
        grey = np.nan_to_num(np.clip(percent * 2.55, 0, 255)).astype(np.uint8)
        panels["confidence"] = np.repeat(grey[..., None], 3, axis=2)
    classes, palette = description.classes, description.palette
    drawn = draw_rows([PanelRow(title, panels)], classes, palette, dpi=_DPI)
    path = files["map"].with_name("quicklook.png")
    Image.fromarray(drawn).save(path, format="PNG")
    return path


def ground_range(optical: np.ndarray, clear: np.ndarray | None) -> Stretch:
    """The range in which both images, 3 x H x W, are shown; ``clear`` is the reconstruction.

    Where clouds cover everything, the optical image shows no ground: in their range the
    reconstruction would be black. The darker range of the two is taken.
    """
    cloudy = Stretch.of(optical, ground(optical))
    if clear is None:
        return cloudy
    free = Stretch.of(clear)
    return Stretch(np.minimum(cloudy.low, free.low), np.minimum(cloudy.high, free.high))


def ground(bands: np.ndarray) -> np.ndarray:
    """Pixels that determine a picture's range: the darker half, so that clouds are left out.

    Returns:
        H x W bool, for bands of 3 x H x W.
    """
    brightness = bands.mean(axis=0)
    known = np.isfinite(brightness)
    return known & (brightness <= np.median(brightness[known])) if known.any() else known


def _shown(raster: SceneRaster) -> np.ndarray:
    """The bands of a raster at a coarse resolution, NaN where there are no data."""
    source = raster.source
    with raster_errors(raster.path):
        raw = source.read(raster.bands, out_shape=(len(raster.bands), *_size(source)))
    values = raster.reader.conversion.apply(raw.astype(np.float32))
    return np.where(raster.nodata.missing(raw), np.nan, values)


def _read(path: Path) -> np.ndarray:
    with rasterio.open(path) as source:
        bands = source.read(out_shape=(source.count, *_size(source))).astype(np.float32)
        return np.where(bands == source.nodata, np.nan, bands)


def _size(source: rasterio.DatasetReader) -> tuple[int, int]:
    factor = max(max(source.shape) / _SIDE_PIXELS, 1)
    return max(round(source.height / factor), 1), max(round(source.width / factor), 1)
