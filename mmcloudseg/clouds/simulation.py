"""The one call that puts clouds over an image, the same on every machine."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcloudseg.clouds.drawing import draw_clouds
from mmcloudseg.clouds.kinds import KIND_ODDS, choose_kind
from mmcloudseg.clouds.layers import MASK_THRESHOLD, Layer, Mask
from mmcloudseg.clouds.octaves import uniform
from mmcloudseg.clouds.rendering import add_clouds, cloud_reflectance


@dataclass(frozen=True)
class SimulatedClouds:
    """A cloudy image and what was rendered; opacity, mask and cover are those of `Clouds`.

    Attributes:
        image: Bands x H x W, in the type and unit of the clear image.
        opacity: H x W float32, a multiple of 1 / 10 000.
        mask: H x W bool.
        kind: Name of the clouds' kind.
        cover: Share of cloudy pixels.
        sun_azimuth_deg: Direction of the sun, clockwise from north (up in the image).
    """

    image: NDArray[Any]
    opacity: Layer
    mask: Mask
    kind: str
    cover: float
    sun_azimuth_deg: float


@dataclass(frozen=True)
class CloudSettings:
    """How simulated clouds look to a sensor, and which clouds are drawn.

    Attributes:
        gsd_m: Side of a pixel in metres.
        wavelengths_um: Centre of each band in micrometres.
        cover: Share of cloudy pixels, 0 to 1, or a range to draw it from.
        kind: One of ``thick``, ``thin``, ``fog``, ``local``, ``mixed``, or names and their odds.
        white: Image value of a fully opaque cloud, for all bands or each; by default its
            reflectance times ``scale``.
        scale: Image value of a reflectance of 1.
        threshold: Opacity above which a pixel counts as cloudy.
        octaves: Number of octaves of the cloud field.
    """

    gsd_m: float
    wavelengths_um: Sequence[float]
    cover: float | tuple[float, float] = (0.0, 1.0)
    kind: str | Mapping[str, float] = field(default_factory=lambda: KIND_ODDS)
    white: Sequence[float] | float | None = None
    scale: float = 10_000.0
    threshold: float = MASK_THRESHOLD
    octaves: int = 8


def simulate_clouds(
    image: NDArray[Any],
    settings: CloudSettings,
    *,
    name: str,
    seed: int = 0,
    mask: Mask | None = None,
) -> SimulatedClouds:
    """Put clouds over a clear optical image, by `draw_clouds` and `add_clouds`.

    The clouds depend on nothing but the arguments: the pixels are the same on every machine, in
    any process and in any order.

    Args:
        image: Bands x H x W, clear, of any integer or float type.
        settings: The sensor and the clouds.
        name: Name of the image; images with different names get different clouds.
        seed: Seed of the whole set.
        mask: H x W bool, a real mask whose place and shape the clouds take, whatever the
            settings' ``cover``.

    Raises:
        ValueError: If an argument is outside its range or sizes disagree.
    """
    rng = generator(seed, name)
    cover, wavelengths_um = settings.cover, settings.wavelengths_um
    low, high = (cover, cover) if isinstance(cover, int | float) else cover
    if not 0 <= low <= high <= 1:
        raise ValueError(f"cover: expected shares from 0 to 1 in ascending order, found {cover}")
    kind = choose_kind(rng, settings.kind)
    share = min(uniform(rng, low, high), 1.0)
    azimuth_deg = uniform(rng, 0, 360)
    clouds = draw_clouds(
        rng,
        (image.shape[1], image.shape[2]),
        settings.gsd_m,
        share if mask is None else mask,
        kind,
        azimuth_deg,
        settings.threshold,
        settings.octaves,
    )
    white: ArrayLike | None = settings.white
    if white is None:
        white = cloud_reflectance(wavelengths_um) * settings.scale
    cloudy = add_clouds(image, clouds, wavelengths_um, white)
    return SimulatedClouds(cloudy, clouds.opacity, clouds.mask, kind, clouds.cover, azimuth_deg)


def generator(seed: int, name: str) -> np.random.Generator:
    """A random generator that depends on a seed and a name alone."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))
