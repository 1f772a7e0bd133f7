"""C-band SAR backscatter of the materials, with speckle."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mmcloudseg.procedural.landscape import CROPS, Landscape
from mmcloudseg.procedural.materials import ROOFS, Material
from mmcloudseg.procedural.noise import Field, area_mean, fractal_noise

POLARISATIONS = ("VV", "VH")
# Width of the system's response. Sentinel-1 GRD pixels of 10 m are finer than its resolution:
# neighbours correlate by 0.65 to 0.74 in M3M-CR, and by 0.6 here.
_RESPONSE_PX = (1.1, 1.1)


def render_backscatter(
    rng: np.random.Generator,
    landscape: Landscape,
    materials: NDArray[np.uint8],
    shape: tuple[int, int],
    offset: tuple[float, float] = (0.0, 0.0),
    polarisations: Sequence[str] = POLARISATIONS,
    looks: int = 4,
) -> Field:
    """Render a SAR image of a place in dB, usually on a coarser grid than that of the place.

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
        Polarisations x height x width.

    Raises:
        ValueError: If a polarisation is not known.
    """
    unknown = set(polarisations) - set(POLARISATIONS)
    if unknown:
        raise ValueError(f"polarisations: expected {POLARISATIONS}, found {sorted(unknown)}")
    means_db = np.array([material.backscatter_db for material in Material])
    common_db = _common_variation(rng, landscape, materials)
    bands = []
    for name in polarisations:
        ground_db = means_db[materials, POLARISATIONS.index(name)] + common_db
        ground_db += 0.5 * fractal_noise(rng, materials.shape, 40 / landscape.gsd_m, 1.6)
        power = area_mean(10 ** (ground_db / 10), shape, offset)
        bands.append(10 * np.log10(power * speckle(rng, shape, looks)))
    return np.stack(bands)


def speckle(rng: np.random.Generator, shape: tuple[int, int], looks: int) -> Field:
    """Draw multiplicative speckle of mean 1 and variance 1 / looks.

    It is the mean power of as many complex Gaussian fields as there are looks.

    Raises:
        ValueError: If there is not at least one look.
    """
    if looks < 1:
        raise ValueError(f"looks: expected at least 1, found {looks}")
    fields = rng.standard_normal((2 * looks, *shape))
    fields = ndimage.gaussian_filter(fields, (0, *_RESPONSE_PX), mode="wrap")
    return (fields**2 / fields.var(axis=(1, 2), keepdims=True)).mean(axis=0)


def _common_variation(
    rng: np.random.Generator, landscape: Landscape, materials: NDArray[np.uint8]
) -> Field:
    """Moisture, roughness, wind and corner reflectors, in dB, the same in all polarisations."""
    shape, gsd_m = materials.shape, landscape.gsd_m
    variation_db = 0.8 * fractal_noise(rng, shape, 150 / gsd_m, 1.8)
    field_db = 1.1 * rng.standard_normal(landscape.parcels.max() + 1)
    variation_db += (landscape.cover == CROPS) * field_db[landscape.parcels]
    wet = np.isin(materials, (Material.CLEAR_WATER, Material.TURBID_WATER))
    variation_db += wet * rng.uniform(-1.5, 2.0)
    corners = np.isin(materials, ROOFS) & (rng.random(shape) < 0.02)
    return variation_db + 14 * corners
