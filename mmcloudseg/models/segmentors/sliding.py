"""Inference that our segmentors share: batches of windows, and the cloud-free image."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.utils import OptSampleList, SampleList
from torch import Tensor

from mmcloudseg.models.segmentors.windows import window_spans


class SlidingInference:
    """Inference of a segmentor that makes logits and, if asked for, the cloud-free image.

    A mixin that precedes MMSegmentation's segmentor in the list of bases. A subclass implements
    ``_maps(inputs, cloud_free)``. ``test_cfg`` sets:

    - ``mode``: ``'whole'`` or ``'slide'``, with ``crop_size`` and ``stride``;
    - ``window_batch``: number of sliding windows per forward pass, 16 by default;
    - ``cloud_free``: whether ``encode_decode`` appends the image to the logits' channels, unless
      its caller says otherwise.
    """

    # From MMSegmentation's segmentor.
    test_cfg: ConfigDict
    out_channels: int
    inference: Callable[..., Tensor]
    postprocess_result: Callable[..., SampleList]

    @property
    def _wants_cloud_free(self) -> bool:
        return bool(self.test_cfg and self.test_cfg.get("cloud_free", False))

    def encode_decode(
        self, inputs: Tensor, batch_img_metas: list[dict], cloud_free: bool | None = None
    ) -> Tensor:
        """Logits and, if asked for, the cloud-free image, N x (classes [+ optical bands]) x H x W.

        Args:
            inputs: N x bands x H x W, normalised.
            batch_img_metas: Ignored, because the maps always have the size of ``inputs``.
            cloud_free: Whether to append the image; None leaves it to ``test_cfg.cloud_free``.
        """
        wanted = self._wants_cloud_free if cloud_free is None else cloud_free
        return self._maps(inputs, wanted)

    def _maps(self, inputs: Tensor, cloud_free: bool) -> Tensor:
        raise NotImplementedError

    def slide_inference(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Average :meth:`encode_decode` of overlapping windows, several per forward pass.

        Raises:
            ValueError: An image is smaller than the window.
        """
        crop, stride = self.test_cfg.crop_size, self.test_cfg.stride
        size = inputs.shape[2:]
        if size[0] < crop[0] or size[1] < crop[1]:
            raise ValueError(
                f"{batch_img_metas[0].get('img_path') or 'the image'} is {size[0]} x {size[1]} "
                f"pixels, smaller than the window of {crop[0]} x {crop[1]}: set "
                "model.test_cfg.crop_size smaller or model.test_cfg.mode='whole'"
            )
        spans = [window_spans(*axis) for axis in zip(size, crop, stride, strict=True)]
        windows = list(itertools.product(*spans))
        per_pass = max(self.test_cfg.get("window_batch", 16) // len(inputs), 1)

        total: Tensor
        count = inputs.new_zeros((1, 1, *size))
        for i in range(0, len(windows), per_pass):
            chunk = windows[i : i + per_pass]
            crops = torch.cat([inputs[:, :, y.start : y.stop, x.start : x.stop] for y, x in chunk])
            maps = self.encode_decode(crops, batch_img_metas)
            if i == 0:
                total = maps.new_zeros((len(inputs), maps.shape[1], *size))
            for (y, x), part in zip(chunk, maps.split(len(inputs)), strict=True):
                target = (..., slice(y.used, y.stop), slice(x.used, x.stop))
                total[target] += part[..., y.used - y.start :, x.used - x.start :]
                count[target] += 1
        return total / count

    def predict(self, inputs: Tensor, data_samples: OptSampleList = None) -> SampleList:
        """Land cover on the label grid and, if asked for, the cloud-free image.

        Returns:
            The samples with ``pred_sem_seg`` and ``seg_logits`` of the sample's ``ori_shape`` (the
            label grid) and, if ``test_cfg.cloud_free``, ``pred_cloud_free``, bands x H x W.
        """
        if data_samples is not None:
            metas = [sample.metainfo for sample in data_samples]
        else:
            metas = [dict(ori_shape=inputs.shape[2:], img_shape=inputs.shape[2:])] * len(inputs)
        maps = self.inference(inputs, metas)
        results = self.postprocess_result(maps[:, : self.out_channels], data_samples)
        if self._wants_cloud_free:
            images = maps[:, self.out_channels :]
            for result, image, meta in zip(results, images, metas, strict=True):
                result.pred_cloud_free = PixelData(data=_undo_padding_and_flip(image, meta))
        return results


def _undo_padding_and_flip(image: Tensor, meta: dict) -> Tensor:
    """What MMSeg's ``postprocess_result`` does to logits, for C x H x W without the resize."""
    left, right, top, bottom = meta.get("img_padding_size", meta.get("padding_size", [0] * 4))
    height, width = image.shape[1:]
    image = image[:, top : height - bottom, left : width - right]
    if meta.get("flip"):
        image = image.flip(dims=(2 if meta.get("flip_direction") == "horizontal" else 1,))
    return image
