"""What is written about a scene: the map, and what else is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmcloudseg.rasters.cog import CogContent
from mmcloudseg.utils.constants import IGNORE_INDEX

NO_VALUE = 65535
"""Nodata of probabilities and of the cloud-free image."""
_PROBABILITY_STEPS = 10000


@dataclass(frozen=True)
class Product(CogContent):
    """A raster that is made of a scene.

    Its name is ``'map'``, ``'confidence'``, ``'probabilities'`` or ``'cloud_free'``.

    Attributes:
        optical_grid: Whether it is on the optical grid, whatever the map's grid.
    """

    optical_grid: bool = False


def products(
    classes: Sequence[str],
    palette: Sequence[tuple[int, int, int]],
    optical_bands: Sequence[str],
    confidence: bool = False,
    probabilities: bool = False,
    cloud_free: bool = False,
) -> list[Product]:
    """The rasters to make.

    Args:
        classes: Class names.
        palette: Their colours.
        optical_bands: Names of the optical bands, for the cloud-free image.
        confidence: Percent, uint8: the probability of the class that the map shows.
        probabilities: A band for each class, uint16, in ten thousandths.
        cloud_free: The reconstruction, uint16, in the optical image's unit and on its grid.
    """
    wanted = [
        Product(
            "map",
            "uint8",
            IGNORE_INDEX,
            ("land cover",),
            resampling="MODE",
            palette=tuple(palette),
            categories=tuple(classes),
        )
    ]
    if confidence:
        wanted.append(Product("confidence", "uint8", IGNORE_INDEX, ("confidence in percent",)))
    if probabilities:
        wanted.append(
            Product(
                "probabilities",
                "uint16",
                NO_VALUE,
                tuple(f"probability of {name}" for name in classes),
                scale=1 / _PROBABILITY_STEPS,
            )
        )
    if cloud_free:
        wanted.append(
            Product("cloud_free", "uint16", NO_VALUE, tuple(optical_bands), optical_grid=True)
        )
    return wanted


def from_logits(
    logits: Tensor, valid: np.ndarray, names: Sequence[str], threshold: float = 0.5
) -> dict[str, np.ndarray]:
    """Map, confidence and probabilities of some rows.

    Args:
        logits: Classes x rows x columns; one channel is a sigmoid's, as MMSeg reads it.
        valid: Rows x columns, where there are data.
        names: Of the products to make.
        threshold: Above it a single class is there.

    Returns:
        For each name: bands x rows x columns.
    """
    if len(logits) == 1:
        there = logits.sigmoid()
        probability = torch.cat([1 - there, there])
        labels = (there[0] > threshold).to(torch.uint8)
    else:
        probability = logits.softmax(0) if set(names) - {"map"} else None
        labels = logits.argmax(0).to(torch.uint8)
    made = {}
    if "map" in names:
        made["map"] = _filled(labels[None], valid, IGNORE_INDEX)
    if "confidence" in names:
        chosen = probability.gather(0, labels[None].long())
        made["confidence"] = _filled((100 * chosen).round().to(torch.uint8), valid, IGNORE_INDEX)
    if "probabilities" in names:
        # Torch has few operations for uint16: rounded as int32, and stored as uint16.
        steps = (_PROBABILITY_STEPS * probability).round().to(torch.int32)
        made["probabilities"] = _filled(steps, valid, NO_VALUE).astype(np.uint16)
    return made


def from_image(
    image: Tensor, valid: np.ndarray, low: Sequence[float], high: Sequence[float]
) -> np.ndarray:
    """The cloud-free image of some rows, in the optical image's unit.

    Args:
        image: Bands x rows x columns, scaled to [0, 1]; what lies beyond is cut off.
        valid: Rows x columns, where there are data.
        low: The value of 0, by band.
        high: The value of 1, by band.

    Returns:
        Bands x rows x columns, uint16.
    """
    lowest, highest = (image.new_tensor(list(ends)).view(-1, 1, 1) for ends in (low, high))
    values = image.clamp(0, 1) * (highest - lowest) + lowest
    # One less than nodata, for sensors whose range goes so far.
    values = values.round().clamp(0, NO_VALUE - 1).to(torch.int32)
    return _filled(values, valid, NO_VALUE).astype(np.uint16)


def _filled(bands: Tensor, valid: np.ndarray, nodata: int) -> np.ndarray:
    array = bands.cpu().numpy().copy()  # on a CPU it would be the tensor's own memory
    array[:, ~valid] = nodata
    return array
