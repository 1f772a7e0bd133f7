"""Holes in the bands of a sample."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from mmcloudseg.datasets.transforms.modality_dropout import MODALITIES
from mmcloudseg.utils.constants import IGNORE_INDEX


@TRANSFORMS.register_module()
class RandomErase(BaseTransform):
    """Erase rectangles of the inputs: their pixels become NaN, which is no data.

    It takes the place of MMSeg's ``RandomCutOut`` (DeVries and Taylor, arXiv:1708.04552), whose
    fill is a value. The network sees ``CloudSegDataPreprocessor(missing_val=…)`` and learns to
    rely on what is around a hole or on the other modality. Cloud-free image, label and cloud mask
    stay, because the ground below a hole is known, unless ``ignore`` is set.

    Placed after :class:`LoadRasters`, :class:`SimulateClouds` and what interpolates. It draws from
    Python's ``random``, which MMEngine's seed governs in every worker.

    Required Keys:

    - img, band_layout
    - seg_fields (optional)

    Modified Keys:

    - img (float32), with ``ignore`` every key of seg_fields

    Args:
        prob: Probability that a sample gets holes.
        holes: Fewest and most holes, of which each sample draws a number.
        size: Smallest and largest height and width of a hole, as fractions of the image's.
        modalities: Which of ``'optical'`` and ``'sar'`` a hole goes through.
        ignore: Whether label and cloud mask are 255 in the holes.
    """

    def __init__(
        self,
        prob: float = 0.5,
        holes: tuple[int, int] = (1, 3),
        size: tuple[float, float] = (0.1, 0.3),
        modalities: Sequence[str] = ("optical",),
        ignore: bool = False,
    ) -> None:
        super().__init__()
        modalities = [modalities] if isinstance(modalities, str) else list(modalities)
        if not modalities or set(modalities) - set(MODALITIES):
            raise ValueError(
                f"RandomErase: modalities must be some of {list(MODALITIES)}, found {modalities}"
            )
        if not 0 <= prob <= 1 or not 1 <= holes[0] <= holes[1] or not 0 < size[0] <= size[1] <= 1:
            raise ValueError(
                "RandomErase: prob is from 0 to 1, holes at least 1, size above 0 and at most 1, "
                f"smallest first; found prob={prob}, holes={holes}, size={size}"
            )
        self.prob, self.holes, self.size = prob, tuple(holes), tuple(size)
        self.modalities, self.ignore = modalities, ignore

    def transform(self, results: dict) -> dict:
        """Draw, and erase.

        Raises:
            ValueError: If a modality was not loaded.
        """
        if random.random() >= self.prob:
            return results
        hole = self._draw(results["img"].shape[:2])
        layout = results["band_layout"]
        # A copy, because the loader may hand out the same array again.
        img = np.array(results["img"], dtype=np.float32)
        for modality in self.modalities:
            if modality not in layout:
                raise ValueError(
                    f"RandomErase: '{modality}' was not loaded (only {list(layout)}). Add it to "
                    "LoadRasters(modalities=…), or take it out of RandomErase(modalities=…)."
                )
            img[hole, slice(*layout[modality])] = np.nan
        results["img"] = img
        if self.ignore:
            for key in results.get("seg_fields", []):
                results[key] = np.where(hole, np.uint8(IGNORE_INDEX), results[key])
        return results

    def _draw(self, shape: tuple[int, int]) -> np.ndarray:
        """Which pixels of an image are in a hole."""
        erased = np.zeros(shape, dtype=bool)
        for _ in range(random.randint(*self.holes)):
            height, width = (max(round(random.uniform(*self.size) * n), 1) for n in shape)
            top, left = random.randint(0, shape[0] - height), random.randint(0, shape[1] - width)
            erased[top : top + height, left : left + width] = True
        return erased

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(prob={self.prob}, holes={self.holes}, size={self.size}, "
            f"modalities={self.modalities}, ignore={self.ignore})"
        )
