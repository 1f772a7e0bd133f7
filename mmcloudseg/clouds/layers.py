"""A cloud field over an image: optical depths, opacity, and the light that passes."""

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmcloudseg.clouds.cover import cloud_cover

REFERENCE_UM = 0.55  # at which optical depths and the mask's threshold are stated
MASK_THRESHOLD = 0.1
"""Opacity above which a pixel counts as cloudy: fainter veils are hard to see in the image."""
OPACITY_STEPS = 10_000
"""Opacity is a multiple of one part in this many, so that files hold it exactly."""
DEPTH_STEPS = 1024  # optical depths are multiples of one part in this many
LARGEST_DEPTH = 16.0
_BLOCK_PIXELS = 32_768

Layer = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Clouds:
    """One cloud field over an image.

    Attributes:
        thick: H x W optical depth of the thick layer.
        thin: H x W optical depth of the thin layer at ``REFERENCE_UM``.
        opacity: H x W share of the ground's light that is lost at ``REFERENCE_UM``, of both
            layers; a multiple of 1 / ``OPACITY_STEPS``.
        shading: H x W factor on the clouds' brightness, from their relief.
        shadow: H x W opacity of the cloud that stands between a pixel and the sun.
        angstrom: Exponent of the thin layer's fall with wavelength.
        threshold: Opacity above which a pixel counts as cloudy.
    """

    thick: Layer
    thin: Layer
    opacity: Layer
    shading: Layer
    shadow: Layer
    angstrom: float = 1.0
    threshold: float = MASK_THRESHOLD

    @functools.cached_property
    def mask(self) -> Mask:
        """H x W, true where the opacity exceeds the threshold."""
        return self.opacity > self.threshold

    @property
    def cover(self) -> float:
        """Share of cloudy pixels."""
        return cloud_cover(self.mask)

    def rows(self, part: slice) -> "Clouds":
        """The same clouds over some of the image's rows."""
        layers = ("thick", "thin", "opacity", "shading", "shadow")
        return dataclasses.replace(self, **{name: getattr(self, name)[part] for name in layers})

    def transmissions(self, wavelengths_um: Sequence[float]) -> list[Layer]:
        """Share of the ground's light that passes, H x W for each band."""
        thick = transmission(self.thick)
        if not self.thin.any():
            return [thick] * len(wavelengths_um)
        ratios = [(um / REFERENCE_UM) ** -self.angstrom for um in wavelengths_um]
        return [thick * transmission(self.thin, ratio) for ratio in ratios]


def opacity(thick: Layer, thin: Layer) -> Layer:
    """Share of light that is lost in two layers, in whole steps of 1 / ``OPACITY_STEPS``."""
    lost = 1 - transmission(thick) * transmission(thin)
    return np.rint(lost * np.float32(OPACITY_STEPS)) / np.float32(OPACITY_STEPS)


def transmission(depth: Layer, ratio: float = 1.0) -> Layer:
    """Share of light that passes an optical depth times a ratio.

    Looked up in a table, because the last bit of ``exp`` depends on the processor.
    """
    if not depth.any():
        return np.ones(depth.shape, np.float32)
    steps = (depth * np.float32(DEPTH_STEPS) + np.float32(0.5)).astype(np.uint16)
    return np.take(_transmission_table(ratio), steps, mode="clip")


@functools.lru_cache(maxsize=64)
def _transmission_table(ratio: float) -> Layer:
    depths = np.arange(int(LARGEST_DEPTH * DEPTH_STEPS) + 1) / DEPTH_STEPS
    return np.exp(-ratio * depths).astype(np.float32)


def row_blocks(shape: tuple[int, int]) -> Iterator[slice]:
    """Rows to work on together: intermediate results of so few pixels stay in the cache."""
    step = max(_BLOCK_PIXELS // shape[1], 1)
    for start in range(0, shape[0], step):
        yield slice(start, start + step)
