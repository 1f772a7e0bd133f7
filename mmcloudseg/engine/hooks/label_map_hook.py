"""Predicted label maps as georeferenced rasters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from mmseg.structures import SegDataSample

from mmcloudseg.rasters.geotiff import GeoTiffProfile, write_geotiff
from mmcloudseg.rasters.grids import scaled_shape
from mmcloudseg.rasters.reading import raster_session
from mmcloudseg.utils.samples import sample_stem


@HOOKS.register_module()
class LabelMapHook(Hook):
    """Write each test sample's prediction as ``<out_dir>/<sample_name>.tif``.

    A uint8 GeoTIFF on the label grid with the optical image's CRS, a colour table and the class
    names as tags: it opens in QGIS with its colours. It covers the ground of the optical image,
    or of the ``crop_window`` that was read of it. Predictions are those of MMSegmentation's
    segmentors, which undo the flips of the pipeline.

    Args:
        out_dir: The folder; None writes nothing.
    """

    def __init__(self, out_dir: str | None = None) -> None:
        self.out_dir = out_dir

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence[SegDataSample] | None = None,
    ) -> None:
        """Write the batch's label maps."""
        if self.out_dir is None:
            return
        meta = runner.test_dataloader.dataset.metainfo
        for sample in outputs or ():
            labels = sample.pred_sem_seg.data[0].cpu().numpy().astype(np.uint8)
            name = sample_stem(sample)
            write_label_map(
                Path(self.out_dir) / f"{name}.tif",
                labels,
                sample.img_path,
                meta["classes"],
                meta["palette"],
                sample.metainfo,
            )


def write_label_map(
    path: Path,
    labels: np.ndarray,
    optical_path: str,
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
    metainfo: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write a label map over the ground of an optical image or of the part that was read.

    Args:
        path: The GeoTIFF; appears when it is complete.
        labels: h x w uint8, class indices.
        optical_path: The image that the labels cover, of any resolution.
        classes: Class names in the order of their indices.
        palette: Their RGB colours, 0 to 255.
        metainfo: The sample's. ``crop_window`` (top, left, height, width in optical pixels) is
            the part that was read; with ``label_scale``, the map's size is checked.

    Raises:
        ValueError: The map does not have the size of that ground.
    """
    with raster_session(), rasterio.open(optical_path) as optical:
        top, left, *size = metainfo.get("crop_window") or (0, 0, *optical.shape)
        crs, transform = optical.crs, optical.transform
    _check_size(labels.shape, (size[0], size[1]), optical_path, metainfo)
    to_pixels = Affine.scale(size[1] / labels.shape[1], size[0] / labels.shape[0])
    transform = transform * Affine.translation(left, top) * to_pixels
    profile = GeoTiffProfile(
        crs=crs,
        transform=transform,
        compress="deflate",
        palette=palette,
        band_tags={f"class_{i}": name for i, name in enumerate(classes)},
    )
    write_geotiff(path, labels, profile)


def _check_size(
    found: tuple[int, ...], ground: tuple[int, int], optical_path: str, metainfo: Mapping[str, Any]
) -> None:
    """Refuse a map of other ground, as after a crop or a padding of what was loaded."""
    if "label_scale" not in metainfo:
        return
    across, down = metainfo.get("scale_factor") or (1, 1)
    resized = (round(ground[0] * down), round(ground[1] * across))
    expected = scaled_shape(resized, metainfo["label_scale"])
    if tuple(found) != expected:
        raise ValueError(
            f"{optical_path}: the label map has {found[0]} x {found[1]} pixels, expected "
            f"{expected[0]} x {expected[1]} on the ground of {ground[0]} x {ground[1]} optical "
            "pixels that were read. In test_dataloader.dataset.pipeline, crop before LoadRasters "
            "and do not pad; or write no label maps"
        )
