"""Samples that lack one of their modalities."""

from __future__ import annotations

import random

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

MODALITIES = ("optical", "sar")


@TRANSFORMS.register_module()
class DropModality(BaseTransform):
    """Take a modality away: all of its bands become NaN.

    ``CloudSegDataPreprocessor(missing_val=…)`` says what the network sees instead. Placed after
    :class:`LoadRasters` and :class:`SimulateClouds`, with any geometric transforms before or
    behind. Cloud-free image, cloud mask and label stay as they are.

    Required Keys:

    - img, band_layout

    Modified Keys:

    - img (the modality's bands; float32 if it held whole numbers)
    - modalities (those that are left, such as ``'sar'``)

    Args:
        modality: ``'optical'`` or ``'sar'``.
    """

    def __init__(self, modality: str) -> None:
        super().__init__()
        if modality not in MODALITIES:
            raise ValueError(
                f"DropModality: modality must be one of {list(MODALITIES)}, found {modality!r}"
            )
        self.modality = modality

    def transform(self, results: dict) -> dict:
        """Take the modality away; see :func:`without`."""
        return without(results, self.modality)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(modality={self.modality!r})"


@TRANSFORMS.register_module()
class RandomModalityDropout(BaseTransform):
    """Take the optical image away from some training samples and SAR from some others.

    A network that has met either alone still works when a satellite does not (as ModDrop,
    Neverova et al., TPAMI 38, 2016, for whole modalities). No sample loses the only one that it
    has. Keys are those of :class:`DropModality`. It draws from Python's ``random``, which
    MMEngine's seed governs in every worker.

    Args:
        optical: Probability that a sample lacks its optical image.
        sar: Probability that it lacks SAR; both together at most 1.
    """

    def __init__(self, optical: float = 0.1, sar: float = 0.1) -> None:
        super().__init__()
        if min(optical, sar) < 0 or optical + sar > 1:
            raise ValueError(
                "RandomModalityDropout: optical and sar are probabilities from 0 and together at "
                f"most 1, because no sample loses both; found {optical} and {sar}"
            )
        self.optical, self.sar = optical, sar

    def transform(self, results: dict) -> dict:
        """Draw, and take the modality away; see :func:`without`."""
        drawn = random.random()
        chosen = "optical" if drawn < self.optical else "sar"
        if drawn >= self.optical + self.sar or present_modalities(results) == [chosen]:
            return results
        return without(results, chosen)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(optical={self.optical}, sar={self.sar})"


def present_modalities(results: dict) -> list[str]:
    """The modalities of a loaded sample, as ``modalities`` says or else as they were loaded.

    A cloud-free image stands for the optical one, as in the input of a teacher.
    """
    if "modalities" in results:
        return [name for name in MODALITIES if name in results["modalities"].split("+")]
    layout = results["band_layout"]
    loaded = {"optical" if name == "cloud_free" else name for name in layout}
    return [name for name in MODALITIES if name in loaded]


def without(results: dict, modality: str) -> dict:
    """Give a loaded sample another ``img``, with NaN in the bands of a modality.

    Raises:
        ValueError: If the modality was not loaded.
    """
    layout = results["band_layout"]
    if modality not in layout:
        raise ValueError(
            f"{results.get('img_path', 'the sample')}: '{modality}' cannot be taken away, because "
            f"it was not loaded (only {list(layout)}). Add it to LoadRasters(modalities=…) before."
        )
    img = results["img"]
    # The loader may hand out the same array again.
    img = img.copy() if np.issubdtype(img.dtype, np.floating) else img.astype(np.float32)
    img[..., slice(*layout[modality])] = np.nan
    results["img"] = img
    left = [name for name in present_modalities(results) if name != modality]
    results["modalities"] = "+".join(left) or "none"
    return results
