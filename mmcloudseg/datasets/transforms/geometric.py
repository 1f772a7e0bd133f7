"""Geometric transforms whose fill is no data, not a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mmcv.transforms import Compose, Pad
from mmseg.registry import TRANSFORMS

from mmcloudseg.datasets.pipeline_checks import check_pipeline
from mmcloudseg.utils.constants import IGNORE_INDEX

# What no transform fills with: a pixel of these layers that has another value was filled.
WITHIN = 54321.0
WITHIN_FIELD = 173
FIELD = "within_image"  # beside label and mask, because those take the nearest pixel


@TRANSFORMS.register_module()
class Geometric(Compose):
    """Run geometric transforms so that what they fill is no data.

    MMSeg's ``RandomRotate``, ``RandomMosaic`` and their like fill with 0, which is the brightest
    backscatter (dB) and the darkest ground. Here the pixels that a transform fills, with whatever
    value, and those that it interpolates from them become NaN in every band and 255 in label and
    cloud mask: the network sees ``CloudSegDataPreprocessor(missing_val=…)``, and no loss counts
    them. NaN that a band already has, such as that of a modality taken away, moves with the image
    and spreads only to pixels that are interpolated from it.

    Labels and masks take the nearest pixel. A label of a coarser grid moves on the optical grid
    and returns to its own in :class:`PackCloudSegInputs`, where each of its pixels takes the class
    at its centre. Any angle and size will do.

    Placed after :class:`LoadRasters` and :class:`SimulateClouds`. In the pipeline of a
    ``MultiImageMixDataset`` it may hold ``RandomMosaic``.

    Required Keys:

    - img
    - seg_fields and what it names, mix_results (optional)

    Modified Keys:

    - img (float32), every key of seg_fields, img_shape
    - what the transforms modify

    Args:
        transforms: Configs of transforms, in their order, such as
            ``[dict(type='RandomRotate', prob=0.5, degree=45)]``.

    Raises:
        ValueError: If a transform spoils bands.
    """

    def __init__(self, transforms: Sequence[dict | Callable]) -> None:
        check_pipeline(transforms, inside=True)
        build = TRANSFORMS.build
        super().__init__([build(t) if isinstance(t, dict) else t for t in transforms])

    def get_indices(self, dataset: Any) -> list[int]:
        """Which samples a ``MultiImageMixDataset`` has to mix in: those the transforms ask for."""
        mixing = [t for t in self.transforms if hasattr(t, "get_indices")]
        return [index for t in mixing for index in t.get_indices(dataset)]

    def transform(self, results: dict) -> dict | None:
        """Run the transforms.

        Raises:
            ValueError: If nothing was loaded yet, or a transform leaves out a label or mask.
        """
        prepared = _with_layers(results)
        if "mix_results" in results:
            prepared["mix_results"] = [_with_layers(mixed) for mixed in results["mix_results"]]
        transformed = super().transform(prepared)
        return None if transformed is None else _without_layers(transformed)


@TRANSFORMS.register_module()
class PadNoData(Pad):
    """Pad at the bottom and right with no data: NaN in every band, 255 in label and cloud mask.

    Batches need no padding, for which the data preprocessor cares. It is for images smaller than
    the crop. Keys are those of :class:`Geometric`, and pad_shape.

    Args:
        size: Width and height to pad to.
        size_divisor: Pad to multiples of this number instead.
        pad_to_square: Pad to a square.
    """

    def __init__(
        self,
        size: tuple[int, int] | None = None,
        size_divisor: int | None = None,
        pad_to_square: bool = False,
    ) -> None:
        # A float: MMCV turns whole numbers into one per band, of which OpenCV takes four at most.
        super().__init__(size, size_divisor, pad_to_square, dict(img=0.0, seg=IGNORE_INDEX))

    def transform(self, results: dict) -> dict:
        """Pad."""
        height, width = results["img"].shape[:2]
        self._pad_img(results)
        padded = results["img"].shape[:2]
        rest = ((0, padded[0] - height), (0, padded[1] - width))
        img = results["img"].astype(np.float32)
        img[height:], img[:, width:] = np.nan, np.nan
        results["img"] = img
        for key in results.get("seg_fields", []):
            results[key] = np.pad(results[key], rest, constant_values=IGNORE_INDEX)
        return results


def _with_layers(results: dict) -> dict:
    """A sample of which ``img`` is bands | where each band is known | where the image is."""
    if "img" not in results:
        raise ValueError("Geometric: no image is loaded yet. Place it after LoadRasters.")
    img = np.asarray(results["img"], dtype=np.float32)
    known = np.isfinite(img)
    within = np.full((*img.shape[:2], 1), WITHIN, np.float32)
    layers = [np.where(known, img, 0), known * np.float32(WITHIN), within]
    return {
        **results,
        "img": np.concatenate(layers, axis=2),
        FIELD: np.full(img.shape[:2], WITHIN_FIELD, np.uint8),
        "seg_fields": [*results.get("seg_fields", []), FIELD],
    }


def _without_layers(results: dict) -> dict:
    img = results["img"]
    results["img_shape"] = shape = img.shape[:2]
    for key in results["seg_fields"]:
        if results[key].shape != shape:
            raise ValueError(
                f"Geometric: {key} has {results[key].shape} pixels and the image {shape}, because "
                "one of the transforms does not change both. Take it out of Geometric."
            )
    count = img.shape[2] // 2
    # Cubic interpolation rounds by less than this, and mixes with what is filled by more.
    whole = np.abs(img[..., count:] - WITHIN) < 1e-3 * WITHIN
    within = whole[..., count] & (results.pop(FIELD) == WITHIN_FIELD)
    known = whole[..., :count] & within[..., None]
    results["img"] = np.where(known, img[..., :count], np.float32(np.nan))
    results["seg_fields"] = [key for key in results["seg_fields"] if key != FIELD]
    for key in results["seg_fields"]:
        results[key] = np.where(within, results[key], np.uint8(IGNORE_INDEX))
    return results
