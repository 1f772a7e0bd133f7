"""Packing a loaded sample for the model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.datasets.transforms import PackSegInputs
from mmseg.registry import TRANSFORMS

from mmcloudseg.clouds.cover import cloud_cover
from mmcloudseg.datasets.transforms.modality_dropout import present_modalities
from mmcloudseg.rasters.grids import resample, scaled_shape

META_KEYS = (
    "img_path", "sample_name", "area", "seg_map_path", "ori_shape", "img_shape", "pad_shape",
    "scale_factor", "flip", "flip_direction", "reduce_zero_label", "label_scale", "band_layout",
    "crop_window", "cloud_cover", "cloud_cover_bin", "optical", "dataset_name",
    "modalities",
)  # fmt: skip


@TRANSFORMS.register_module()
class PackCloudSegInputs(PackSegInputs):
    """Pack a sample that :class:`LoadRasters` read, after any geometric transforms.

    The label returns to its own grid, exactly: loading and packing are inverse. Predictions are
    made on that grid, so ``ori_shape`` is its shape, with or without a label. The grid goes with
    the image: after a resize by 2 it has twice the pixels.

    An array of ``inference_model`` comes without ``band_layout``. It holds the raw bands that the
    model sees, in its order, and is mapped on its own grid.

    Required Keys:

    - img
    - band_layout (optional)
    - gt_seg_map, gt_cloud_mask, label_scale (optional)

    The packed sample holds

    - inputs: float32 bands x H x W of ``modalities``, in this order
    - data_samples: ``SegDataSample`` with ``gt_sem_seg`` (int64, 1 x h x w on the label grid),
      ``gt_cloud_free`` (float32, bands x H x W) and ``gt_cloud_mask`` (uint8, 1 x H x W; 1 cloud,
      0 clear, 255 neither) as far as they were loaded, and the metainfo named by ``meta_keys``.
      ``cloud_cover`` is the fraction of cloudy pixels, and ``modalities`` says which of
      optical and SAR the sample has: ``'optical+sar'``, ``'optical'`` or ``'sar'``.

    Args:
        modalities: What the model sees. A teacher takes ``('cloud_free', 'sar')``.
        meta_keys: Keys that become metainfo, where present.
    """

    def __init__(
        self, modalities: Sequence[str] = ("optical", "sar"), meta_keys: Sequence[str] = META_KEYS
    ) -> None:
        super().__init__(meta_keys=tuple(meta_keys))
        self.modalities = tuple(modalities)

    def transform(self, results: dict) -> dict:
        """Pack.

        Raises:
            ValueError: If one of ``modalities`` was not loaded, or an array is not H x W x bands.
        """
        img, label_scale = results["img"], results.get("label_scale", 1.0)
        label_shape = scaled_shape(img.shape[:2], label_scale)
        prepared = {**results, "ori_shape": label_shape, "img_shape": img.shape[:2]}
        # An array that was not loaded from files has all that the model sees.
        there = present_modalities(results) if "band_layout" in results else self.modalities
        prepared["modalities"] = "+".join(there) or "none"
        prepared["img"] = self._image(results)
        if "gt_seg_map" in results:
            prepared["gt_seg_map"] = resample(results["gt_seg_map"], label_shape)
        if "gt_cloud_mask" in results:
            prepared["cloud_cover"] = cloud_cover(results["gt_cloud_mask"])
        packed = super().transform(prepared)
        sample = packed["data_samples"]
        if "gt_cloud_mask" in results:
            mask = np.ascontiguousarray(results["gt_cloud_mask"][None])
            sample.gt_cloud_mask = PixelData(data=torch.from_numpy(mask))
        if "cloud_free" in results.get("band_layout", ()):
            target = self._bands(results, "cloud_free").transpose(2, 0, 1)
            # A copy even where it is contiguous already: a view would keep all bands in memory.
            sample.gt_cloud_free = PixelData(data=torch.from_numpy(target.copy()))
        return packed

    def _image(self, results: dict) -> np.ndarray:
        """What the model sees, H x W x bands."""
        if "band_layout" in results:
            return np.concatenate([self._bands(results, m) for m in self.modalities], axis=2)
        img = results["img"]
        if img.ndim != 3:
            raise ValueError(
                f"PackCloudSegInputs: the array has the shape {img.shape}, expected H x W x "
                f"bands, raw values of {' and '.join(self.modalities)} in this order"
            )
        return np.asarray(img, dtype=np.float32)

    @staticmethod
    def _bands(results: dict, modality: str) -> np.ndarray:
        layout = results["band_layout"]
        if modality not in layout:
            raise ValueError(
                f"PackCloudSegInputs: '{modality}' was not loaded (only {list(layout)}); add it "
                "to LoadRasters(modalities=…) or take it out of PackCloudSegInputs(modalities=…)"
            )
        start, stop = layout[modality]
        return results["img"][..., start:stop]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(modalities={self.modalities})"
