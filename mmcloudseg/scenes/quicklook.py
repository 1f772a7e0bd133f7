"""A scene at a glance: input, map and legend in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import rasterio
from PIL import Image

from mmcloudseg.rasters.reading import raster_errors
from mmcloudseg.rasters.scene_raster import SceneRaster
from mmcloudseg.visualization.colours import Stretch, colour_classes, colour_sar, rgb_bands
from mmcloudseg.visualization.figure import PanelRow, draw_rows

_SIDE_PIXELS = 1000
_DPI = 300


def write_quicklook(
    files: Mapping[str, Path],
    optical: SceneRaster,
    sar: SceneRaster | None,
    names: Sequence[str],
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
    title: str,
) -> None:
    """Draw a scene; only as many pixels are read as are shown.

    Args:
        files: ``map`` and ``quicklook`` (which is written), and ``cloud_free`` and
            ``confidence`` if they were made.
        optical: The optical image.
        sar: The SAR image on the same grid, if there is one.
        names: Of the optical bands.
        classes: Class names.
        palette: Their colours, 0 to 255.
        title: Line above the panels.
    """
    panels = {}
    image = _shown(optical)
    rgb = rgb_bands(names, len(image))
    stretch = Stretch.of(image[rgb], ground(image[rgb]))
    panels["optical"] = stretch.apply(image[rgb])
    if sar is not None:
        panels["SAR"] = colour_sar(_shown(sar))
    if "cloud_free" in files:
        panels["cloud-free"] = stretch.apply(_read(files["cloud_free"])[rgb])
    with rasterio.open(files["map"]) as source:
        panels["land cover"] = colour_classes(source.read(1, out_shape=_size(source)), palette)
    if "confidence" in files:
        percent = _read(files["confidence"])[0]
        grey = np.nan_to_num(np.clip(percent * 2.55, 0, 255)).astype(np.uint8)
        panels["confidence"] = np.repeat(grey[..., None], 3, axis=2)
    drawn = draw_rows([PanelRow(title, panels)], classes, palette, dpi=_DPI)
    Image.fromarray(drawn).save(files["quicklook"], format="PNG")


def ground(bands: np.ndarray) -> np.ndarray:
    """Pixels by which a picture's range is chosen: the darker half, so that clouds are left out.

    Args:
        bands: 3 x H x W.

    Returns:
        H x W bool.
    """
    brightness = bands.mean(axis=0)
    known = np.isfinite(brightness)
    return known & (brightness <= np.median(brightness[known])) if known.any() else known


def _shown(raster: SceneRaster) -> np.ndarray:
    """A raster's bands, few pixels, NaN where there are no data."""
    source = raster.source
    with raster_errors(raster.path):
        raw = source.read(raster.bands, out_shape=(len(raster.bands), *_size(source)))
    empty = raster.nodata.missing(raw)
    return np.where(empty, np.nan, raw.astype(np.float32))


def _read(path: Path) -> np.ndarray:
    with rasterio.open(path) as source:
        bands = source.read(out_shape=(source.count, *_size(source))).astype(np.float32)
        return np.where(bands == source.nodata, np.nan, bands)


def _size(source: rasterio.DatasetReader) -> tuple[int, int]:
    factor = max(max(source.shape) / _SIDE_PIXELS, 1)
    return max(round(source.height / factor), 1), max(round(source.width / factor), 1)
