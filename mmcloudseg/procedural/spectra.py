"""Surface reflectance of the materials, for any set of optical bands."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from mmcloudseg.procedural.landscape import CROPS, Landscape
from mmcloudseg.procedural.materials import NODES_UM, Material
from mmcloudseg.procedural.noise import Field, fractal_noise
from mmcloudseg.rasters.sensors import PLANETSCOPE_UM

# More leaves: darker in red, brighter beyond the red edge.
_LEAF_RESPONSE = (-0.6, -0.6, -0.3, -1.0, -0.3, 0.5, -0.3, -0.6)


def material_reflectance(wavelengths_um: Sequence[float]) -> Field:
    """Mean reflectance of each material in each band, materials x bands from 0 to 1.

    Raises:
        ValueError: If a band's centre, in micrometres, lies outside the table's range.
    """
    if min(wavelengths_um) < NODES_UM[0] or max(wavelengths_um) > NODES_UM[-1]:
        raise ValueError(
            f"wavelengths_um: expected band centres of {NODES_UM[0]} to {NODES_UM[-1]} "
            f"micrometres, found {list(wavelengths_um)}; extend the table in materials.py"
        )
    rows = [np.interp(wavelengths_um, NODES_UM, material.percent) for material in Material]
    return np.stack(rows) / 100


def render_reflectance(
    rng: np.random.Generator,
    landscape: Landscape,
    materials: NDArray[np.uint8],
    wavelengths_um: Sequence[float] = PLANETSCOPE_UM,
    gains: ArrayLike | None = None,
) -> Field:
    """Render a clear optical image of a place, bands x H x W reflectance above 0.

    Args:
        rng: Source of the randomness.
        landscape: The place.
        materials: H x W material numbers of the place.
        wavelengths_um: Band centres in micrometres.
        gains: Factor of each band, for illumination and calibration; 1 by default.
    """
    shape, gsd_m = materials.shape, landscape.gsd_m
    brightness, leaves = _variation(rng, landscape, materials)
    response = np.interp(wavelengths_um, NODES_UM, _LEAF_RESPONSE)
    means = material_reflectance(wavelengths_um)
    factors = np.ones(len(wavelengths_um)) if gains is None else np.asarray(gains, float)
    image = np.empty((len(wavelengths_um), *shape))
    for band, factor in enumerate(factors):
        clear = factor * means[materials, band] * np.exp(brightness + response[band] * leaves)
        # The blur of optics and resampling is about a pixel of 3 m.
        clear = ndimage.gaussian_filter(clear, 1.8 / gsd_m, mode="nearest")
        image[band] = clear * (1 + 0.012 * rng.standard_normal(shape))
    return np.clip(image, 1e-4, None)


def draw_gains(rng: np.random.Generator, bands: int, spread: float = 0.09) -> Field:
    """Draw a factor for each band: illumination of the scene and calibration of the sensor."""
    return np.exp(spread * rng.standard_normal() + 0.04 * rng.standard_normal(bands))


def to_counts(values: NDArray[Any]) -> NDArray[np.uint16]:
    """Round values, such as reflectance x 10 000, to whole numbers; 0 is kept for nodata."""
    return np.clip(np.round(values), 1, 65_535).astype(np.uint16)


def _variation(
    rng: np.random.Generator, landscape: Landscape, materials: NDArray[np.uint8]
) -> tuple[Field, Field]:
    """Deviations of log-brightness and leaf amount from the material's mean, tree to region."""
    shape, gsd_m = materials.shape, landscape.gsd_m
    amplitude = np.array([material.texture for material in Material])
    brightness = amplitude[materials] * fractal_noise(rng, shape, 7 / gsd_m, 1.3)
    brightness += 0.09 * fractal_noise(rng, shape, 60 / gsd_m, 1.6)
    leaves = 0.10 * fractal_noise(rng, shape, 25 / gsd_m, 1.5)
    leaves += 0.17 * fractal_noise(rng, shape, 120 / gsd_m, 1.8)
    farmed = landscape.cover == CROPS
    fields = landscape.parcels.max() + 1
    brightness += farmed * (0.14 * rng.standard_normal(fields))[landscape.parcels]
    leaves += farmed * (0.17 * rng.standard_normal(fields))[landscape.parcels]
    # Rows and wheel tracks; a period well above two pixels, or it aliases.
    spacing_m = max(rng.uniform(10, 16), 3 * gsd_m)
    brightness += farmed * 0.025 * np.sin(2 * np.pi * landscape.across / spacing_m)
    return brightness, leaves
