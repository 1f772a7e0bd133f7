"""C-band SAR backscatter of the materials, with speckle."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mmcloudseg.procedural.landscape import CROPS, Landscape
from mmcloudseg.procedural.materials import Material
from mmcloudseg.procedural.noise import area_mean, fractal_noise

POLARISATIONS = ("VV", "VH")
# Mean backscatter in dB (VV, VH): typical of Sentinel-1 at middle incidence angles. Open land lies
# within about 1.5 dB whatever grows on it, less than the variation between fields.
_BACKSCATTER_DB = {
    Material.CANOPY: (-8.0, -13.4),
    Material.DRY_CANOPY: (-8.6, -14.2),
    Material.UNDERSTOREY: (-8.8, -14.4),
    Material.SHRUB: (-10.3, -16.4),
    Material.GREEN_GRASS: (-10.9, -17.9),
    Material.DRY_GRASS: (-11.3, -18.6),
    Material.SOIL: (-11.4, -19.3),
    Material.LUSH_CROP: (-10.2, -16.8),
    Material.YOUNG_CROP: (-10.8, -18.2),
    Material.RIPE_CROP: (-10.9, -17.6),
    Material.STUBBLE: (-11.0, -18.6),
    Material.PLOUGHED: (-10.3, -18.8),
    Material.BRIGHT_ROOF: (-2.0, -10.0),
    Material.TILED_ROOF: (-3.0, -10.5),
    Material.DARK_ROOF: (-2.5, -10.5),
    Material.ROAD: (-12.5, -20.0),
    Material.SAND: (-12.6, -20.6),
    Material.ROCK: (-10.7, -18.9),
    Material.CLEAR_WATER: (-19.0, -27.0),
    Material.TURBID_WATER: (-18.4, -26.4),
    Material.REED: (-11.8, -19.0),
}
_ROOFS = (Material.BRIGHT_ROOF, Material.TILED_ROOF, Material.DARK_ROOF)


def render_backscatter(
    rng: np.random.Generator,
    landscape: Landscape,
    materials: NDArray[np.uint8],
    shape: tuple[int, int],
    offset: tuple[float, float] = (0.0, 0.0),
    polarisations: Sequence[str] = POLARISATIONS,
    looks: int = 4,
) -> NDArray[np.float64]:
    """Render a SAR image of a place, usually on a grid coarser than that of the place.

    Averages over pixels are of power, not of dB; speckle multiplies the power.

    Args:
        rng: Source of the randomness.
        landscape: The place.
        materials: H x W material numbers of the place.
        shape: Height and width of the SAR image, which covers the same ground.
        offset: Start (down, right) of the SAR grid, in pixels of the place.
        polarisations: Out of ``POLARISATIONS``, in the order of the bands.
        looks: Number of looks of the speckle; Sentinel-1 GRD has between 4 and 5.

    Returns:
        Polarisations x height x width, in dB.

    Raises:
        ValueError: If a polarisation is not known.
    """
    unknown = set(polarisations) - set(POLARISATIONS)
    if unknown:
        raise ValueError(f"polarisations: expected {POLARISATIONS}, found {sorted(unknown)}")
    means_db = np.array([_BACKSCATTER_DB[material] for material in Material])
    common_db = _common_variation(rng, landscape, materials)
    bands = []
    for name in polarisations:
        ground_db = means_db[materials, POLARISATIONS.index(name)] + common_db
        ground_db += 0.5 * fractal_noise(rng, materials.shape, 40 / landscape.gsd_m, 1.6)
        power = area_mean(10 ** (ground_db / 10), shape, offset)
        bands.append(10 * np.log10(power * speckle(rng, shape, looks)))
    return np.stack(bands)


def speckle(
    rng: np.random.Generator, shape: tuple[int, int], looks: int, correlation_px: float = 1.1
) -> NDArray[np.float64]:
    """Draw multiplicative speckle, the mean power of complex Gaussian fields.

    Args:
        rng: Source of the randomness.
        shape: Height and width in pixels.
        looks: Number of fields averaged; the power's variance is 1 / looks.
        correlation_px: Width of the system's response. Sentinel-1 GRD pixels of 10 m are finer
            than its resolution: neighbours correlate by 0.65 to 0.74 in M3M-CR, and by 0.6 here.

    Returns:
        Height x width factors of mean 1.

    Raises:
        ValueError: If there is not at least one look.
    """
    if looks < 1:
        raise ValueError(f"looks: expected at least 1, found {looks}")
    fields = rng.standard_normal((2 * looks, *shape))
    fields = ndimage.gaussian_filter(fields, (0, correlation_px, correlation_px), mode="wrap")
    return (fields**2 / fields.var(axis=(1, 2), keepdims=True)).mean(axis=0)


def _common_variation(
    rng: np.random.Generator, landscape: Landscape, materials: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """Moisture, roughness, wind and corner reflectors, in dB, the same in all polarisations."""
    shape, gsd_m = materials.shape, landscape.gsd_m
    variation_db = 0.8 * fractal_noise(rng, shape, 150 / gsd_m, 1.8)
    field_db = 1.1 * rng.standard_normal(landscape.parcels.max() + 1)
    variation_db += (landscape.cover == CROPS) * field_db[landscape.parcels]
    wet = np.isin(materials, (Material.CLEAR_WATER, Material.TURBID_WATER))
    variation_db += wet * rng.uniform(-1.5, 2.0)
    corners = np.isin(materials, _ROOFS) & (rng.random(shape) < 0.02)
    return variation_db + 14 * corners
