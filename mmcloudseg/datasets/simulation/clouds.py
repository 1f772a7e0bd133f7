"""Clouds over a clear optical image: opacity, airlight, shadows, and the mask they imply."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mmcloudseg.datasets.simulation.noise import fractal_noise

REFERENCE_UM = 0.55
"""Wavelength at which optical depths and the mask's threshold are stated."""
MASK_THRESHOLD = 0.1
"""Opacity above which a pixel counts as cloudy: fainter veils are hard to see on the image."""

# Brightness of a fully opaque cloud at these wavelengths, which the brightest pixels of real
# PlanetScope clouds reach (0.50 to 0.52 in blue to 0.64 to 0.66 in the near infrared).
_WHITE_UM = (0.44, 0.49, 0.565, 0.665, 0.865, 1.61, 2.20)
_WHITE = (0.51, 0.53, 0.58, 0.61, 0.67, 0.55, 0.40)
# Optical depth of thin cloud and haze falls with wavelength (Angstrom exponent); droplets of thick
# cloud scatter all bands alike.
_THIN_EXPONENT = 1.0
# A shadow takes the sun and leaves the sky, which is bluer.
_SHADOW_UM = (0.44, 0.49, 0.865, 2.20)
_SHADOW_STRENGTH = (0.42, 0.46, 0.62, 0.70)


@dataclass(frozen=True)
class CloudKind:
    """How deep clouds of a kind are, and how soft their edges.

    Attributes:
        thick_depth: Optical depth in the cores of the thick layer, 0 for none.
        thin_depth: Optical depth of the thin layer, 0 for none.
        thick_edge: Width of the thick layer's edge, in standard deviations of its field.
        thin_edge: The same of the thin layer.
    """

    thick_depth: float
    thin_depth: float
    thick_edge: float = 1.5
    thin_edge: float = 1.0


CLOUD_KINDS = {
    "thick": CloudKind(thick_depth=3.6, thin_depth=0.0, thick_edge=2.0),
    "thin": CloudKind(thick_depth=0.0, thin_depth=0.75),
    "mixed": CloudKind(thick_depth=3.0, thin_depth=0.6, thick_edge=2.0),
}


@dataclass(frozen=True)
class Clouds:
    """One cloud field over an image.

    Attributes:
        thick: H x W optical depth of the thick layer.
        thin: H x W optical depth of the thin layer at ``REFERENCE_UM``.
        shading: H x W factor on the clouds' brightness, from their relief.
        shadow: H x W opacity of the cloud that stands between a pixel and the sun.
        threshold: Opacity above which a pixel counts as cloudy.
    """

    thick: NDArray[np.float64]
    thin: NDArray[np.float64]
    shading: NDArray[np.float64]
    shadow: NDArray[np.float64]
    threshold: float = MASK_THRESHOLD

    @property
    def opacity(self) -> NDArray[np.float64]:
        """H x W share of the ground's light that is lost at ``REFERENCE_UM``."""
        return -np.expm1(-(self.thick + self.thin))

    @property
    def mask(self) -> NDArray[np.bool_]:
        """H x W, true where the opacity exceeds the threshold."""
        return self.opacity > self.threshold

    @property
    def cover(self) -> float:
        """Share of cloudy pixels."""
        return float(self.mask.mean())

    def transmission(self, wavelengths_um: Sequence[float]) -> NDArray[np.float64]:
        """Share of the ground's light that passes, bands x H x W."""
        ratio = (np.asarray(wavelengths_um, float) / REFERENCE_UM) ** -_THIN_EXPONENT
        return np.exp(-(self.thick + ratio[:, None, None] * self.thin))


def draw_clouds(
    rng: np.random.Generator,
    shape: tuple[int, int],
    gsd_m: float,
    cover: float,
    kind: CloudKind | str = "mixed",
    sun_azimuth_deg: float = 145.0,
    shadow_length_m: float = 150.0,
    threshold: float = MASK_THRESHOLD,
) -> Clouds:
    """Draw clouds that cover a given share of an image.

    Args:
        rng: Source of the randomness.
        shape: Height and width in pixels.
        gsd_m: Side of a pixel in metres.
        cover: Share of pixels above the threshold, from 0 to 1. At exactly 0 nothing is drawn.
        kind: Depths and edges, or the name of one of ``CLOUD_KINDS``.
        sun_azimuth_deg: Direction of the sun, clockwise from north (up in the image).
        shadow_length_m: Distance on the ground between a cloud and its shadow.
        threshold: Opacity above which a pixel counts as cloudy.

    Returns:
        The clouds; their cover is that asked for, to the pixel where values differ.

    Raises:
        ValueError: If cover is outside 0 to 1, the kind's name is unknown, or its clouds are too
            faint to exceed the threshold everywhere.
    """
    if not 0 <= cover <= 1:
        raise ValueError(f"cover: expected a share from 0 to 1, found {cover}")
    if isinstance(kind, str):
        if kind not in CLOUD_KINDS:
            raise ValueError(f"kind: expected one of {sorted(CLOUD_KINDS)}, found {kind!r}")
        kind = CLOUD_KINDS[kind]
    azimuth = np.deg2rad(sun_azimuth_deg)
    shift = (
        round(np.cos(azimuth) * shadow_length_m / gsd_m),
        round(-np.sin(azimuth) * shadow_length_m / gsd_m),
    )
    if cover == 0:
        nothing = np.zeros(shape)
        return Clouds(nothing, nothing, np.ones(shape), nothing, threshold)
    # Clouds outside the image throw shadows into it.
    border = max(abs(shift[0]), abs(shift[1]))
    canvas = (shape[0] + 2 * border, shape[1] + 2 * border)
    layers = _Layers(rng, canvas, gsd_m, kind)
    inside = (slice(border, border + shape[0]), slice(border, border + shape[1]))
    thick, thin = layers.depths(layers.bias_for(cover, threshold, inside))
    opacity = -np.expm1(-(thick + thin))
    behind = tuple(
        slice(border - step, border - step + side) for step, side in zip(shift, shape, strict=True)
    )
    shadow = ndimage.gaussian_filter(opacity, 6 / gsd_m)[behind]
    shading = _relief(thick + thin, azimuth, gsd_m)[inside]
    return Clouds(thick[inside], thin[inside], shading, shadow, threshold)


def add_clouds(
    clear: NDArray[np.float64], clouds: Clouds, wavelengths_um: Sequence[float]
) -> NDArray[np.float64]:
    """Put clouds and their shadows over a clear image.

    The light that arrives is I = J t + A (1 - t): the ground's, J, dimmed by shadow and by the
    transmission t, and the cloud's own, A. All but J depend on the band.

    Args:
        clear: Bands x H x W reflectance.
        clouds: Clouds of the same height and width.
        wavelengths_um: Centre of each band in micrometres.

    Returns:
        Bands x H x W reflectance; equal to ``clear`` where there is neither cloud nor shadow.

    Raises:
        ValueError: If the sizes or the number of bands disagree.
    """
    expected = (len(wavelengths_um), *clouds.thick.shape)
    if clear.shape != expected:
        raise ValueError(
            f"clear: expected bands x height x width of {expected}, as the wavelengths and clouds "
            f"say, found {clear.shape}"
        )
    transmission = clouds.transmission(wavelengths_um)
    white = np.interp(wavelengths_um, _WHITE_UM, _WHITE)[:, None, None]
    # Deep cloud is white; a veil scatters once and is dimmer.
    brightness = (0.5 + 0.5 * clouds.opacity**2) * clouds.shading
    loss = np.interp(wavelengths_um, _SHADOW_UM, _SHADOW_STRENGTH)[:, None, None]
    ground = clear * (1 - loss * clouds.shadow)
    return ground * transmission + white * brightness * (1 - transmission)


class _Layers:
    """Thick and thin cloud as functions of one bias: the higher, the more sky is covered."""

    def __init__(
        self, rng: np.random.Generator, shape: tuple[int, int], gsd_m: float, kind: CloudKind
    ) -> None:
        size_m = rng.uniform(90, 260)
        base = fractal_noise(rng, shape, size_m / gsd_m, 1.9)
        own = fractal_noise(rng, shape, 1.4 * size_m / gsd_m, 1.7)
        self.kind = kind
        self.thick_field = base
        # The veil gathers around thick cloud and reaches beyond it.
        self.thin_field = 0.6 * base + 0.8 * own + (0.5 if kind.thick_depth else 0.0)
        texture = np.exp(0.35 * fractal_noise(rng, shape, 80 / gsd_m, 1.5))
        self.texture = np.clip(texture, 0.5, 2.0)

    def depths(
        self, bias: float, where: tuple[slice, slice] = (slice(None), slice(None))
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Optical depth of both layers in a part of the canvas."""
        texture, kind = self.texture[where], self.kind
        thick = _ramp((self.thick_field[where] + bias) / kind.thick_edge)
        thin = _ramp((self.thin_field[where] + bias) / kind.thin_edge)
        return kind.thick_depth * texture * thick, kind.thin_depth * texture * thin

    def bias_for(self, cover: float, threshold: float, inside: tuple[slice, slice]) -> float:
        """Smallest bias that covers at least a share of the inside, by bisection."""

        def covered(bias: float) -> float:
            thick, thin = self.depths(bias, inside)
            return float((-np.expm1(-(thick + thin)) > threshold).mean())

        reach = max(np.abs(self.thick_field).max(), np.abs(self.thin_field).max())
        width = max(self.kind.thick_edge, self.kind.thin_edge)
        low, high = -float(reach), float(reach + width)
        if covered(high) < cover:
            raise ValueError(
                f"clouds of {self.kind} never exceed an opacity of {threshold} on {cover:.0%} of "
                "the image; give deeper clouds or a lower threshold"
            )
        for _ in range(24):
            middle = (low + high) / 2
            low, high = (low, middle) if covered(middle) >= cover else (middle, high)
        return high


def _ramp(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Smooth step from exactly 0 below 0 to exactly 1 above 1."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _relief(depth: NDArray[np.float64], azimuth: float, gsd_m: float) -> NDArray[np.float64]:
    """Brighter towards the sun, darker away from it; exactly 1 on level cloud."""
    down, right = np.gradient(ndimage.gaussian_filter(depth, 9 / gsd_m), gsd_m)
    # A cloud's top falls towards the sun where its depth does.
    towards_sun = down * np.cos(azimuth) - right * np.sin(azimuth)
    return 1 + 0.12 * np.tanh(towards_sun * 25)
