"""Light through clouds: an image of the ground, dimmed, shadowed and veiled."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcloudseg.clouds.layers import Clouds, Layer, row_blocks

# Brightness of a fully opaque cloud at these wavelengths, which the brightest pixels of real
# PlanetScope clouds reach (0.50 to 0.52 in blue to 0.64 to 0.66 in the near infrared).
_WHITE_UM = (0.44, 0.49, 0.565, 0.665, 0.865, 1.61, 2.20)
_WHITE = (0.51, 0.53, 0.58, 0.61, 0.67, 0.55, 0.40)
# A shadow takes the sun and leaves the sky, which is bluer.
_SHADOW_UM = (0.44, 0.49, 0.865, 2.20)
_SHADOW_STRENGTH = (0.42, 0.46, 0.62, 0.70)


def cloud_reflectance(wavelengths_um: Sequence[float]) -> NDArray[np.float64]:
    """Reflectance of a fully opaque cloud; beyond 0.44 to 2.20 micrometres the nearest end's."""
    return np.interp(wavelengths_um, _WHITE_UM, _WHITE)


def add_clouds(
    clear: NDArray[Any],
    clouds: Clouds,
    wavelengths_um: Sequence[float],
    white: ArrayLike | None = None,
) -> NDArray[Any]:
    """Put clouds and their shadows over a clear image.

    The light that arrives is I = J t + A (1 - t): the ground's, J, dimmed by shadow and by the
    transmission t, and the cloud's own, A. All but J depend on the band.

    Args:
        clear: Bands x H x W of any type, in any unit proportional to reflectance.
        clouds: Clouds of the same height and width.
        wavelengths_um: Centre of each band in micrometres.
        white: Value of a fully opaque cloud, in the image's unit, for all bands or each; by
            default its reflectance.

    Returns:
        Bands x H x W in the image's unit and type: integers are rounded, and clipped to their
        range. Where there is neither cloud nor shadow, equal to ``clear`` to the precision of
        float32.

    Raises:
        ValueError: If the sizes or the number of bands disagree.
    """
    expected = (len(wavelengths_um), *clouds.thick.shape)
    if clear.shape != expected:
        raise ValueError(
            f"clear: expected bands x height x width of {expected}, as the wavelengths and clouds "
            f"say, found {clear.shape}"
        )
    values = np.asarray(cloud_reflectance(wavelengths_um) if white is None else white, float)
    if values.ndim == 0:
        values = np.full(len(wavelengths_um), values)
    if len(values) != len(wavelengths_um):
        raise ValueError(
            f"white: expected a value for each of {len(wavelengths_um)} bands, found {len(values)}"
        )
    out = np.empty(expected, clear.dtype)
    for rows in row_blocks(clouds.thick.shape):
        image = _render(clear[:, rows], clouds.rows(rows), wavelengths_um, values)
        if clear.dtype.kind in "ui":
            limits = np.iinfo(clear.dtype)
            image = np.clip(np.rint(image), limits.min, limits.max)
        out[:, rows] = image
    return out


def _render(
    clear: NDArray[Any], clouds: Clouds, wavelengths_um: Sequence[float], white: np.ndarray
) -> Layer:
    # Deep cloud is white; light scatters only once in a veil, which is darker.
    brightness = np.float32(0.5) + np.float32(0.5) * clouds.opacity * clouds.opacity
    brightness *= clouds.shading
    strength = np.interp(wavelengths_um, _SHADOW_UM, _SHADOW_STRENGTH)
    shadowed = clouds.shadow.any()
    image = clear.astype(np.float32)
    for band, passed in enumerate(clouds.transmissions(wavelengths_um)):
        if shadowed:
            image[band] *= 1 - np.float32(strength[band]) * clouds.shadow
        image[band] *= passed
        image[band] += (np.float32(white[band]) * brightness) * (1 - passed)
    return image
