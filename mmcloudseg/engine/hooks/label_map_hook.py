"""Predicted label maps as georeferenced rasters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from mmseg.structures import SegDataSample

from mmcloudseg.datasets.names import dataset_names
from mmcloudseg.rasters.geotiff import GeoTiffProfile, write_geotiff
from mmcloudseg.rasters.grids import scaled_shape
from mmcloudseg.rasters.reading import raster_session
from mmcloudseg.utils.samples import SampleFiles


@HOOKS.register_module()
class LabelMapHook(Hook):
    """Write each test sample's prediction as ``<out_dir>/<sample_name>.tif``.

    If several data sets are tested together, each has a folder: ``<out_dir>/<dataset_name>/``.
    A uint8 GeoTIFF on the label grid with the optical image's CRS, a colour table and the class
    names as tags: it opens in QGIS with its colours. It covers the ground of the optical image,
    or of the ``crop_window`` that was read of it. Predictions are those of MMSegmentation's
    segmentors, which undo the flips of the pipeline.

    Args:
        out_dir: The folder; None writes nothing.
    """

    def __init__(self, out_dir: str | None = None) -> None:
        self.out_dir = out_dir
        self._files: SampleFiles | None = None

    def before_test(self, runner: Runner) -> None:
        """Forget the samples of an earlier test."""
        self._files = None

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
        dataset = runner.test_dataloader.dataset
        if self._files is None:
            self._files = SampleFiles(self.out_dir, len(dataset_names(dataset)) > 1)
        meta = dataset.metainfo
        for sample in outputs or ():
            _write_label_map(
                self._files.path(sample, ".tif"), sample, meta["classes"], meta["palette"]
            )


def _write_label_map(
    path: Path, sample: SegDataSample, classes: Sequence[str], palette: Sequence[Sequence[int]]
) -> None:
    """Write a prediction over the ground of the optical image, or of the part that was read."""
    labels = sample.pred_sem_seg.data[0].cpu().numpy().astype(np.uint8)
    with raster_session(), rasterio.open(sample.img_path) as optical:
        top, left, height, width = sample.get("crop_window") or (0, 0, *optical.shape)
        crs, transform = optical.crs, optical.transform
    _check_size(labels.shape, (height, width), sample)
    to_pixels = Affine.scale(width / labels.shape[1], height / labels.shape[0])
    profile = GeoTiffProfile(
        crs,
        transform * Affine.translation(left, top) * to_pixels,
        compress="deflate",
        palette=palette,
        band_tags={f"class_{i}": name for i, name in enumerate(classes)},
    )
    write_geotiff(path, labels, profile)


def _check_size(found: tuple[int, ...], ground: tuple[int, int], sample: SegDataSample) -> None:
    """Refuse a map of other ground, as after a crop or a padding of what was loaded."""
    if "label_scale" not in sample:
        return
    across, down = sample.get("scale_factor") or (1, 1)
    resized = (round(ground[0] * down), round(ground[1] * across))
    expected = scaled_shape(resized, sample.label_scale)
    if tuple(found) != expected:
        raise ValueError(
            f"{sample.img_path}: the label map has {found[0]} x {found[1]} pixels, expected "
            f"{expected[0]} x {expected[1]} on the ground of {ground[0]} x {ground[1]} optical "
            "pixels that were read. In test_dataloader.dataset.pipeline, crop before LoadRasters "
            "and do not pad; or write no label maps"
        )
