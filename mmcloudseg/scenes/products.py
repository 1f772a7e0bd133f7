"""What is written about a scene: the map and the optional rasters, and their pixels."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmcloudseg.engine.model_description import ModelDescription
from mmcloudseg.rasters.cog import CogContent
from mmcloudseg.scenes.settings import SceneSettings
from mmcloudseg.utils.constants import IGNORE_INDEX

NO_VALUE = 65535
"""Nodata of probabilities and of the cloud-free image."""
_PROBABILITY_STEPS = 10000


@dataclass(frozen=True)
class Product(CogContent):
    """A raster that is made of a scene.

    Its name is ``'map'``, ``'confidence'``, ``'probabilities'`` or ``'cloud_free'``.

    Attributes:
        optical_grid: Whether it is on the optical grid, regardless of the map's grid.
    """

    optical_grid: bool = False


def list_products(description: ModelDescription, settings: SceneSettings) -> list[Product]:
    """The rasters to make, the map first.

    - ``map``: class indices, uint8;
    - ``confidence``: probability of the predicted class in percent, uint8;
    - ``probabilities``: a band for each class, in ten thousandths, uint16;
    - ``cloud_free``: the reconstruction, uint16, in the optical image's unit and on its grid.
    """
    classes, palette = description.classes, description.palette
    land_cover = Product(
        "map", "uint8", IGNORE_INDEX, ("land cover",), "MODE", palette=palette, categories=classes
    )
    made = [land_cover]
    if settings.confidence:
        made.append(Product("confidence", "uint8", IGNORE_INDEX, ("confidence in percent",)))
    if settings.probabilities:
        bands, scale = tuple(f"probability of {name}" for name in classes), 1 / _PROBABILITY_STEPS
        made.append(Product("probabilities", "uint16", NO_VALUE, bands, scale=scale))
    if settings.cloud_free:
        bands = description.optical_names
        made.append(Product("cloud_free", "uint16", NO_VALUE, bands, optical_grid=True))
    return made


def from_logits(
    logits: Tensor, valid: np.ndarray, names: Collection[str], threshold: float = 0.5
) -> dict[str, np.ndarray]:
    """Map, confidence and probabilities of some rows.

    Args:
        logits: Classes x rows x columns; a single channel is a sigmoid's, as in MMSegmentation.
        valid: Rows x columns, True where there are data.
        names: The products to make.
        threshold: Probability above which a pixel belongs to a single class.

    Returns:
        By name, bands x rows x columns.
    """
    if len(logits) == 1:
        present = logits.sigmoid()
        labels = (present[0] > threshold).to(torch.uint8)
    else:
        labels = logits.argmax(0).to(torch.uint8)
    made = {}
    if "map" in names:
        made["map"] = _fill(labels[None], valid, IGNORE_INDEX)
    if not {"confidence", "probabilities"} & set(names):
        return made
    probability = torch.cat([1 - present, present]) if len(logits) == 1 else logits.softmax(0)
    if "confidence" in names:
        chosen = probability.gather(0, labels[None].long())
        made["confidence"] = _fill((100 * chosen).round().to(torch.uint8), valid, IGNORE_INDEX)
    if "probabilities" in names:
        # Torch has few operations for uint16, so values are rounded as int32.
        steps = (_PROBABILITY_STEPS * probability).round().to(torch.int32)
        made["probabilities"] = _fill(steps, valid, NO_VALUE).astype(np.uint16)
    return made


def from_image(
    image: Tensor, valid: np.ndarray, low: Sequence[float], high: Sequence[float]
) -> np.ndarray:
    """The cloud-free image of some rows, in the optical image's unit.

    Args:
        image: Bands x rows x columns, scaled to [0, 1]; values outside are clipped.
        valid: Rows x columns, True where there are data.
        low: The value of 0, by band.
        high: The value of 1, by band.

    Returns:
        Bands x rows x columns, uint16.
    """
    lowest, highest = (image.new_tensor(list(ends)).view(-1, 1, 1) for ends in (low, high))
    values = image.clamp(0, 1) * (highest - lowest) + lowest
    # The highest value is one less than nodata, for sensors whose range includes nodata.
    values = values.round().clamp(0, NO_VALUE - 1).to(torch.int32)
    return _fill(values, valid, NO_VALUE).astype(np.uint16)


def _fill(bands: Tensor, valid: np.ndarray, nodata: int) -> np.ndarray:
    """The bands as an array, with nodata where there are no data."""
    array = bands.cpu().numpy().copy()  # on a CPU the array would share the tensor's memory
    array[:, ~valid] = nodata
    return array
