"""Surface reflectance of the materials, for any set of optical bands."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from mmcloudseg.procedural.landscape import CROPS, Landscape
from mmcloudseg.procedural.materials import Material
from mmcloudseg.procedural.noise import fractal_noise
from mmcloudseg.rasters.sensors import PLANETSCOPE_UM

_NODES_UM = (0.44, 0.49, 0.56, 0.665, 0.71, 0.865, 1.61, 2.20)
# Percent reflectance at the nodes: rounded typical values of green and dry vegetation, soils,
# building materials and water, darkened towards those of PlanetScope scenes with 3 m pixels.
_PERCENT = {
    Material.CANOPY: (1.8, 2.2, 4.8, 3.0, 8.0, 29.0, 14.0, 6.0),
    Material.DRY_CANOPY: (2.0, 2.6, 5.2, 6.0, 9.5, 21.5, 17.0, 9.0),
    Material.UNDERSTOREY: (1.3, 1.7, 3.4, 3.0, 5.5, 15.0, 9.0, 5.0),
    Material.SHRUB: (2.3, 3.0, 5.9, 6.0, 10.0, 24.0, 18.0, 10.0),
    Material.GREEN_GRASS: (2.4, 3.2, 7.0, 5.2, 12.0, 32.0, 21.0, 11.0),
    Material.DRY_GRASS: (3.2, 4.4, 7.8, 10.5, 13.5, 23.0, 28.0, 19.0),
    Material.SOIL: (4.2, 6.0, 9.0, 12.5, 14.5, 20.5, 30.0, 26.0),
    Material.LUSH_CROP: (2.0, 2.7, 6.8, 3.6, 12.0, 41.0, 20.0, 9.0),
    Material.YOUNG_CROP: (2.7, 3.7, 7.2, 7.0, 12.0, 27.0, 24.0, 15.0),
    Material.RIPE_CROP: (3.8, 5.4, 9.6, 12.0, 15.5, 28.5, 29.0, 18.0),
    Material.STUBBLE: (3.5, 4.9, 8.4, 11.4, 14.0, 23.5, 31.0, 23.0),
    Material.PLOUGHED: (3.6, 5.2, 8.2, 11.4, 13.2, 19.0, 27.0, 24.0),
    Material.BRIGHT_ROOF: (14.0, 16.5, 18.5, 20.0, 21.0, 23.5, 25.0, 22.0),
    Material.TILED_ROOF: (4.6, 5.8, 8.0, 13.8, 15.5, 20.0, 26.0, 24.0),
    Material.DARK_ROOF: (5.5, 6.4, 7.2, 7.8, 8.2, 10.0, 13.0, 13.0),
    Material.ROAD: (6.4, 7.6, 9.2, 10.2, 10.8, 13.0, 18.0, 17.0),
    Material.SAND: (6.5, 8.8, 13.0, 17.0, 19.0, 25.0, 33.0, 31.0),
    Material.ROCK: (5.2, 6.6, 9.0, 11.0, 12.0, 15.5, 22.0, 21.0),
    Material.CLEAR_WATER: (3.2, 3.2, 3.4, 1.9, 1.5, 1.2, 0.6, 0.4),
    Material.TURBID_WATER: (3.6, 4.6, 7.2, 6.6, 5.2, 2.8, 0.8, 0.5),
    Material.REED: (2.2, 2.9, 5.4, 4.6, 7.5, 17.0, 10.0, 5.0),
}
# Log-amplitude of fine texture: crowns and roofs are rough, water and sown fields are even.
_TEXTURE = {
    Material.CANOPY: 0.20,
    Material.DRY_CANOPY: 0.20,
    Material.UNDERSTOREY: 0.15,
    Material.SHRUB: 0.16,
    Material.BRIGHT_ROOF: 0.22,
    Material.TILED_ROOF: 0.18,
    Material.DARK_ROOF: 0.18,
    Material.ROCK: 0.14,
    Material.CLEAR_WATER: 0.03,
    Material.TURBID_WATER: 0.03,
}
_PLAIN_TEXTURE = 0.07
# More leaves: darker in red, brighter beyond the red edge.
_LEAF_RESPONSE = (-0.6, -0.6, -0.3, -1.0, -0.3, 0.5, -0.3, -0.6)


def material_reflectance(wavelengths_um: Sequence[float]) -> NDArray[np.float64]:
    """Mean reflectance of each material in each band.

    Args:
        wavelengths_um: Band centres in micrometres, within 0.44 to 2.20.

    Returns:
        Materials x bands, in the order of ``Material``, from 0 to 1.

    Raises:
        ValueError: If a centre lies outside the table's range.
    """
    if min(wavelengths_um) < _NODES_UM[0] or max(wavelengths_um) > _NODES_UM[-1]:
        raise ValueError(
            f"wavelengths_um: expected band centres of {_NODES_UM[0]} to {_NODES_UM[-1]} "
            f"micrometres, found {list(wavelengths_um)}; extend the table in spectra.py"
        )
    rows = [np.interp(wavelengths_um, _NODES_UM, _PERCENT[material]) for material in Material]
    return np.stack(rows) / 100


def render_reflectance(
    rng: np.random.Generator,
    landscape: Landscape,
    materials: NDArray[np.uint8],
    wavelengths_um: Sequence[float] = PLANETSCOPE_UM,
    gains: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Render a clear optical image of a place.

    Args:
        rng: Source of the randomness.
        landscape: The place.
        materials: H x W material numbers of the place.
        wavelengths_um: Band centres in micrometres.
        gains: Factor of each band, for illumination and calibration; 1 by default.

    Returns:
        Bands x H x W reflectance, all above 0.
    """
    shape, gsd_m = materials.shape, landscape.gsd_m
    brightness, leaves = _variation(rng, landscape, materials)
    response = np.interp(wavelengths_um, _NODES_UM, _LEAF_RESPONSE)
    means = material_reflectance(wavelengths_um)
    factors = np.ones(len(wavelengths_um)) if gains is None else np.asarray(gains, float)
    # About a pixel of 3 m: the blur of optics and resampling.
    blur_px = 1.8 / gsd_m
    image = np.empty((len(wavelengths_um), *shape))
    for band, factor in enumerate(factors):
        clear = factor * means[materials, band] * np.exp(brightness + response[band] * leaves)
        clear = ndimage.gaussian_filter(clear, blur_px, mode="nearest")
        image[band] = clear * (1 + 0.012 * rng.standard_normal(shape))
    return np.clip(image, 1e-4, None)


def draw_gains(rng: np.random.Generator, bands: int, spread: float = 0.09) -> NDArray[np.float64]:
    """Draw a factor for each band: illumination of the scene and calibration of the sensor."""
    return np.exp(spread * rng.standard_normal() + 0.04 * rng.standard_normal(bands))


def to_counts(values: NDArray[Any]) -> NDArray[np.uint16]:
    """Round values, such as reflectance x 10 000, to whole numbers; 0 is kept for nodata."""
    return np.clip(np.round(values), 1, 65_535).astype(np.uint16)


def _variation(
    rng: np.random.Generator, landscape: Landscape, materials: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Deviations of log-brightness and leaf amount from the material's mean, tree to region."""
    shape, gsd_m = materials.shape, landscape.gsd_m
    amplitude = np.array([_TEXTURE.get(material, _PLAIN_TEXTURE) for material in Material])
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
