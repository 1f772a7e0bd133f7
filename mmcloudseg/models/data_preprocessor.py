"""Radiometry and padding of a batch, on the model's device."""

from __future__ import annotations

import warnings
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
    image is scaled with the ranges of the optical bands. Inputs have the optical bands first, then
    SAR; a model that sees only one modality has ranges for that one only.

    What is missing is NaN in the raw inputs, such as a modality that ``RandomModalityDropout`` has
    removed or the corners of an image that ``Geometric`` has rotated, and becomes ``missing_val``
    after scaling. In training this holds for the cloud-free image as well, and the cloud mask
    becomes 255 there, so that no loss counts it. At test time NaN in that image is kept.

    In training, the inputs, cloud-free image, cloud mask and label are padded at the bottom and
    right to the largest image of the batch, and further to a multiple of ``size_divisor``. Padded
    pixels are 255 in the label and the mask, so that neither losses nor scores count them. At test
    time only the inputs are padded, and the padding is cut off the model's outputs.

    Args:
        optical: ``dict(low=[…], high=[…])`` with a number for each optical band.
        sar: The same for each SAR band, in dB.
        size_divisor: Height and width become multiples of this; None pads to the largest image
            only.
        pad_val: Value of padded pixels after scaling.
        seg_pad_val: Value of padded label pixels.
        non_blocking: Whether to copy to the device asynchronously.
        missing_val: Value of NaN in the inputs after scaling. 0 is each band's ``low``.

    Raises:
        ValueError: No range is given, a band has no ``low`` or ``high``, or ``low`` is not below
            ``high``.
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
            raise ValueError(
                "model.data_preprocessor has no ranges: set optical=dict(low=…, high=…), sar=dict("
                "low=…, high=…) or both"
            )
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
        """Scale raw optical and SAR bands, N x C x H x W or C x H x W, to [0, 1].

        NaN becomes ``missing_val``.

        Raises:
            ValueError: C is not the number of bands that have ranges.
        """
        self._check_bands(x, self.counts["optical"] + self.counts["sar"], "inputs")
        low = torch.cat([self.optical_low, self.sar_low])
        high = torch.cat([self.optical_high, self.sar_high])
        # Infinity has been clipped, so NaN is all that is left to replace.
        return _scale(x, low, high).nan_to_num(nan=self.missing_val)

    def normalize_optical(self, x: Tensor) -> Tensor:
        """Scale a cloud-free image with the ranges of the optical bands; NaN is kept."""
        self._check_bands(x, self.counts["optical"], "the cloud-free image")
        return _scale(x, self.optical_low, self.optical_high)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Prepare a batch.

        Args:
            data: ``inputs``, raw, a list of C x H x W or one N x C x H x W; and ``data_samples``,
                a list or None. They are not changed.
            training: Whether labels are padded as well.

        Returns:
            Scaled inputs, N x C x H x W, and samples with a scaled ``gt_cloud_free``.
        """
        data = self.cast_data(data)
        samples = data.get("data_samples")
        raw = self._made_up_inputs(data["inputs"], samples)
        images = [self.normalize(image) for image in raw]
        divisor = self.size_divisor
        heights, widths = zip(*(_size(image) for image in images), strict=True)
        size = (-(-max(heights) // divisor) * divisor, -(-max(widths) // divisor) * divisor)
        for image, sample in zip(images, samples or [], strict=bool(samples)):
            self._prepare_sample(sample, _size(image), size, training)
        inputs = torch.stack([_pad(image, size, self.pad_val) for image in images])
        return dict(inputs=inputs, data_samples=samples)

    def _made_up_inputs(
        self, inputs: Sequence[Tensor], samples: Sequence[SegDataSample] | None
    ) -> Sequence[Tensor]:
        """Repeat the three bands that MMSegmentation's ``get_flops.py`` draws for any model.

        Its sample comes from no file: all that it says is the size.
        """
        made_up = samples and set(samples[0].metainfo_keys()) == {"ori_shape", "pad_shape"}
        bands = sum(self.counts.values())
        if not made_up or len(inputs[0]) != 3 or bands == 3:
            return inputs
        warnings.warn(
            f"a made-up image of 3 bands (its sample names no file): they are repeated for the "
            f"{bands} bands of the model",
            stacklevel=2,
        )
        return [image[torch.arange(bands) % 3] for image in inputs]

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
                self._ignore_missing(sample, target)
                target = _pad(target.nan_to_num(nan=self.missing_val), size, self.pad_val)
            sample.gt_cloud_free = PixelData(data=target)
        if not training:
            return
        if "gt_cloud_mask" in sample:
            mask = _pad(sample.gt_cloud_mask.data, size, IGNORE_INDEX)
            sample.gt_cloud_mask = PixelData(data=mask)
        if "gt_sem_seg" in sample:
            label = sample.gt_sem_seg.data
            label_size = _label_size(_size(label), shape, size)
            sample.gt_sem_seg = PixelData(data=_pad(label, label_size, self.seg_pad_val))

    @staticmethod
    def _ignore_missing(sample: SegDataSample, target: Tensor) -> None:
        """Make the cloud mask 255 where a band of the cloud-free image is NaN."""
        if "gt_cloud_mask" in sample:
            missing = target.isnan().any(dim=0, keepdim=True)
            mask = sample.gt_cloud_mask.data.masked_fill(missing, IGNORE_INDEX)
            sample.gt_cloud_mask = PixelData(data=mask)

    def _check_bands(self, x: Tensor, expected: int, what: str) -> None:
        if x.shape[-3] != expected:
            raise ValueError(
                f"{what}: {x.shape[-3]} bands, but model.data_preprocessor has ranges for "
                f"{self.counts['optical']} optical and {self.counts['sar']} SAR bands. Give it "
                "one low and high for each band, in the order of PackCloudSegInputs(modalities=…)."
            )


def _limits(name: str, limits: Range | None) -> tuple[Tensor, Tensor]:
    low, high = (list((limits or {}).get(key, [])) for key in ("low", "high"))
    if len(low) != len(high) or (limits is not None and not low):
        raise ValueError(
            f"model.data_preprocessor.{name}: low and high each need a number for every band, "
            f"found {low} and {high}"
        )
    if any(a >= b for a, b in zip(low, high, strict=True)):
        raise ValueError(
            f"model.data_preprocessor.{name}: every low must be below its high, found {low} and "
            f"{high}"
        )
    of_low, of_high = (torch.tensor(v, dtype=torch.float32).view(-1, 1, 1) for v in (low, high))
    return of_low, of_high


def _size(x: Tensor) -> tuple[int, int]:
    return x.shape[-2], x.shape[-1]


def _scale(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    x = x if x.is_floating_point() else x.float()
    return (torch.minimum(torch.maximum(x, low), high) - low) / (high - low)


def _pad(x: Tensor, size: tuple[int, int], value: float) -> Tensor:
    height, width = size[0] - x.shape[-2], size[1] - x.shape[-1]
    return F.pad(x, (0, width, 0, height), value=value) if height or width else x


def _label_size(
    label: tuple[int, int], image: tuple[int, int], padded: tuple[int, int]
) -> tuple[int, int]:
    """The padded label's size, with which label and image still show the same ground."""
    sizes = []
    for label_pixels, pixels, padded_pixels in zip(label, image, padded, strict=True):
        size, rest = divmod(padded_pixels * label_pixels, pixels)
        if rest:
            raise ValueError(
                f"an image of {image[0]} x {image[1]} with a label of {label[0]} x {label[1]} "
                f"cannot be padded to {padded[0]} x {padded[1]}, where the label would end within "
                "a pixel. Choose crop sizes and size_divisor that make the padded size a whole "
                "number of label pixels, or crop all images to one size."
            )
        sizes.append(size)
    return sizes[0], sizes[1]
