"""Radiometry and padding of a batch, on the model's device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseDataPreprocessor
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from mmcloudseg.utils.constants import IGNORE_INDEX

Range = Mapping[str, Sequence[float]]


@MODELS.register_module()
class CloudSegDataPreprocessor(BaseDataPreprocessor):
    """Clip and scale each band to [0, 1] by its own range, and pad a batch to one size.

    A band x becomes ``(clip(x, low, high) - low) / (high - low)``, in float32. The cloud-free
    image is scaled by the optical numbers. Inputs have the optical bands first, then SAR; a model
    that sees only one of them configures only that.

    A modality that is missing, as by ``DropModality``, is NaN in the raw inputs, and becomes
    ``missing_val`` after scaling. The loader replaces nodata in files before, so nothing else is
    NaN. The cloud-free image is a target, and NaN in it would stay.

    While training, inputs, cloud-free image, cloud mask and label are padded at the bottom and
    right to the largest image of the batch, and further to a multiple of ``size_divisor``. Padded
    pixels are 255 in label and mask, so neither loss nor scores count them. At test time only
    inputs are padded, and the model's outputs lose the padding again.

    Args:
        optical: ``dict(low=[…], high=[…])``, a number per optical band.
        sar: The same per SAR band, in dB.
        size_divisor: Height and width become multiples of this; None pads to the largest image
            only.
        pad_val: Value of padded pixels, after scaling.
        seg_pad_val: Value of padded label pixels.
        non_blocking: Copy to the device without waiting.
        missing_val: What stands for NaN in the inputs, after scaling. 0 is each band's ``low``.
    """

    def __init__(
        self,
        optical: Range | None = None,
        sar: Range | None = None,
        size_divisor: int | None = None,
        pad_val: float = 0.0,
        seg_pad_val: int = 255,
        non_blocking: bool = False,
        missing_val: float = 0.0,
    ) -> None:
        super().__init__(non_blocking)
        if optical is None and sar is None:
            raise ValueError("configure the ranges of optical, of sar, or of both")
        self.counts: dict[str, int] = {}
        for name, limits in (("optical", optical), ("sar", sar)):
            low, high = _limits(name, limits)
            self.counts[name] = len(low)
            self.register_buffer(f"{name}_low", low, persistent=False)
            self.register_buffer(f"{name}_high", high, persistent=False)
        self.size_divisor = size_divisor or 1
        self.pad_val = pad_val
        self.seg_pad_val = seg_pad_val
        self.missing_val = missing_val

    def normalize(self, x: Tensor) -> Tensor:
        """Scale the model's bands.

        Args:
            x: Raw values, N x C x H x W or C x H x W, C being optical then SAR bands.

        Returns:
            Values in [0, 1], and ``missing_val`` for NaN, same shape.

        Raises:
            ValueError: If C is another number than ranges are configured for.
        """
        self._check_bands(x, self.counts["optical"] + self.counts["sar"], "inputs")
        low = torch.cat([self.optical_low, self.sar_low])
        high = torch.cat([self.optical_high, self.sar_high])
        # Infinity was clipped: NaN is all there is to replace.
        return _scale(x, low, high).nan_to_num(nan=self.missing_val)

    def normalize_optical(self, x: Tensor) -> Tensor:
        """Scale a cloud-free image by the optical bands' numbers; NaN stays."""
        self._check_bands(x, self.counts["optical"], "the cloud-free image")
        return _scale(x, self.optical_low, self.optical_high)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Prepare a batch.

        Args:
            data: ``inputs``, a list of C x H x W or one N x C x H x W, raw; and ``data_samples``,
                a list or None. They are not changed.
            training: Whether labels are padded too.

        Returns:
            The same keys: N x C x H x W scaled, and samples with ``gt_cloud_free`` scaled.
        """
        data = self.cast_data(data)
        images = [self.normalize(image) for image in data["inputs"]]
        samples = data.get("data_samples")
        divisor = self.size_divisor
        size = tuple(
            -(-max(image.shape[axis] for image in images) // divisor) * divisor
            for axis in (-2, -1)
        )
        for image, sample in zip(images, samples or [], strict=bool(samples)):
            self._prepare_sample(sample, tuple(image.shape[-2:]), size, training)
        inputs = torch.stack([_pad(image, size, self.pad_val) for image in images])
        return dict(inputs=inputs, data_samples=samples)

    def _prepare_sample(
        self, sample: SegDataSample, shape: tuple[int, int], size: tuple[int, int], training: bool
    ) -> None:
        padding = (0, size[1] - shape[1], 0, size[0] - shape[0])
        sample.set_metainfo(
            dict(img_shape=shape, pad_shape=size, padding_size=padding, img_padding_size=padding)
        )
        if "gt_cloud_free" in sample:
            target = self.normalize_optical(sample.gt_cloud_free.data)
            if training:
                target = _pad(target, size, self.pad_val)
            sample.gt_cloud_free = PixelData(data=target)
        if not training:
            return
        if "gt_cloud_mask" in sample:
            mask = _pad(sample.gt_cloud_mask.data, size, IGNORE_INDEX)
            sample.gt_cloud_mask = PixelData(data=mask)
        if "gt_sem_seg" in sample:
            label = sample.gt_sem_seg.data
            label_size = _label_size(tuple(label.shape[-2:]), shape, size)
            sample.gt_sem_seg = PixelData(data=_pad(label, label_size, self.seg_pad_val))

    def _check_bands(self, x: Tensor, expected: int, what: str) -> None:
        if x.shape[-3] != expected:
            raise ValueError(
                f"{what}: {x.shape[-3]} bands, but model.data_preprocessor has ranges for "
                f"{self.counts['optical']} optical and {self.counts['sar']} SAR bands. Give it "
                "one low and high per band, in the order of PackCloudSegInputs(modalities=…)."
            )


def _limits(name: str, limits: Range | None) -> tuple[Tensor, Tensor]:
    low, high = (list((limits or {}).get(key, [])) for key in ("low", "high"))
    if len(low) != len(high) or (limits is not None and not low):
        raise ValueError(
            f"{name}: low and high need a number per band each, found {low} and {high}"
        )
    if any(a >= b for a, b in zip(low, high, strict=True)):
        raise ValueError(f"{name}: every low must be below its high, found {low} and {high}")
    return tuple(torch.tensor(v, dtype=torch.float32).view(-1, 1, 1) for v in (low, high))


def _scale(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    x = x if x.is_floating_point() else x.float()
    return (torch.minimum(torch.maximum(x, low), high) - low) / (high - low)


def _pad(x: Tensor, size: tuple[int, int], value: float) -> Tensor:
    height, width = size[0] - x.shape[-2], size[1] - x.shape[-1]
    return F.pad(x, (0, width, 0, height), value=value) if height or width else x


def _label_size(
    label: tuple[int, int], image: tuple[int, int], padded: tuple[int, int]
) -> tuple[int, int]:
    """The padded label's size, so that label and image still show the same ground."""
    sizes = []
    for label_pixels, pixels, padded_pixels in zip(label, image, padded, strict=True):
        size, rest = divmod(padded_pixels * label_pixels, pixels)
        if rest:
            raise ValueError(
                f"an image of {image[0]} x {image[1]} with a label of {label[0]} x {label[1]} "
                f"cannot be padded to {padded[0]} x {padded[1]}: the label would end within a "
                "pixel. Choose crop sizes and size_divisor so that the padded size is whole label "
                "pixels, or crop all images alike."
            )
        sizes.append(size)
    return sizes[0], sizes[1]
