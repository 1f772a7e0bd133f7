"""Where clouds are: how far inside or outside a cloud each pixel lies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mmcloudseg.clouds.layers import Layer, Mask, row_blocks

_FIELD_STEPS = 8192  # cloud fields are multiples of one part in this many standard deviations
_FIELD_REACH = 32768


@dataclass(frozen=True)
class Canvas:
    """An image with a border on the side of the sun, whose clouds throw shadows into it.

    Attributes:
        image_shape: Rows and columns of the image.
        border: Rows and columns of the border; negative above and to the left of the image.
    """

    image_shape: tuple[int, int]
    border: tuple[int, int]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the image with its border."""
        (height, width), (down, right) = self.image_shape, self.border
        return height + abs(down), width + abs(right)

    def image(self, field: NDArray, step: tuple[int, int] = (0, 0)) -> NDArray:
        """The image's part of a field, or the part that lies some rows and columns further."""
        top, left = (max(-side, 0) + more for side, more in zip(self.border, step, strict=True))
        return field[top : top + self.image_shape[0], left : left + self.image_shape[1]]


def height_above_level(field: Layer, canvas: Canvas, cover: float) -> Layer:
    """Height of a field above the level that a share of the image exceeds, ``cover``.

    Field and height, in standard deviations, are of the canvas' shape. The field rises by about
    one standard deviation over the size of its features.
    """
    whole = np.empty(field.shape, np.uint16)
    for rows in row_blocks(field.shape):
        scaled = field[rows] * np.float32(_FIELD_STEPS) + np.float32(_FIELD_REACH)
        whole[rows] = np.clip(scaled, 0, 2 * _FIELD_REACH - 1)
    inside = canvas.image(whole)
    counts = np.zeros(2 * _FIELD_REACH, np.int64)
    for rows in row_blocks(inside.shape):
        counts += np.bincount(inside[rows].ravel(), minlength=len(counts))
    level = np.float32(_level(counts, cover))
    height = np.empty(field.shape, np.float32)
    for rows in row_blocks(field.shape):
        height[rows] = (whole[rows] - level) * np.float32(1 / _FIELD_STEPS)
    return height


def _level(counts: NDArray[np.int64], cover: float) -> int:
    """The value that a share of pixels as close as possible to the wanted one exceeds."""
    if cover == 1:
        return -1
    above = counts.sum() - np.cumsum(counts)
    # Partial cover has at least a cloudy and a clear pixel.
    wanted = min(max(cover * counts.sum(), 1), counts.sum() - 1)
    return int(np.argmin(np.abs(above - wanted)))


def distance_to_edge(field: Layer, canvas: Canvas, mask: Mask) -> Layer:
    """Distance in pixels to the edge of the image's mask, made uneven by a field.

    Field and distance are of the canvas' shape; the distance is positive inside the mask and
    negative outside.
    """
    width = [(max(-step, 0), max(step, 0)) for step in canvas.border]
    mask = np.pad(mask, width, mode="edge")
    if mask.all():
        return np.full(mask.shape, sum(mask.shape), np.float32)
    inside = ndimage.distance_transform_edt(mask).astype(np.float32)
    outside = ndimage.distance_transform_edt(~mask).astype(np.float32)
    return np.where(mask, inside * np.clip(1 + np.float32(0.35) * field, 0.25, 2), -outside)
