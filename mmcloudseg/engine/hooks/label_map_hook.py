"""Predicted label maps as georeferenced rasters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from mmseg.structures import SegDataSample

from mmcloudseg.apis.files import written_whole
from mmcloudseg.datasets.rasters import raster_session


@HOOKS.register_module()
class LabelMapHook(Hook):
    """Write each test sample's prediction as ``<out_dir>/<sample_name>.tif``.

    A uint8 GeoTIFF on the label grid with the optical image's CRS and ground, a colour table and
    the class names as tags: it opens in QGIS with its colours.

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
            name = sample.metainfo.get("sample_name", Path(sample.img_path).stem)
            write_label_map(
                Path(self.out_dir) / f"{name}.tif",
                labels,
                sample.img_path,
                meta["classes"],
                meta["palette"],
            )


def write_label_map(
    path: Path,
    labels: np.ndarray,
    optical_path: str,
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
) -> None:
    """Write a label map over the ground of a whole optical image.

    Args:
        path: The GeoTIFF; appears when it is complete.
        labels: h x w uint8, class indices.
        optical_path: The image that the labels cover, of any resolution.
        classes: Class names in the order of their indices.
        palette: Their RGB colours, 0 to 255.
    """
    with raster_session(), rasterio.open(optical_path) as optical:
        scale = (optical.width / labels.shape[1], optical.height / labels.shape[0])
        crs, transform = optical.crs, optical.transform * optical.transform.scale(*scale)
    profile = dict(
        driver="GTiff",
        dtype="uint8",
        count=1,
        height=labels.shape[0],
        width=labels.shape[1],
        crs=crs,
        transform=transform,
        compress="deflate",
    )
    with (
        written_whole(path) as temporary,
        raster_session(),
        rasterio.open(temporary, "w", **profile) as raster,
    ):
        raster.write(labels, 1)
        raster.write_colormap(1, {i: (*colour, 255) for i, colour in enumerate(palette)})
        raster.update_tags(1, **{f"class_{i}": name for i, name in enumerate(classes)})
