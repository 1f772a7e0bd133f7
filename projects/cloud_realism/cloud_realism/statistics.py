"""Statistics of a cloudy image relative to the clear image, to compare simulated and real clouds.

Two real images of a place have different dates, so cloudy minus clear also contains haze, another
sun position and changes of the vegetation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from cloud_realism.structure import (
    Field,
    Mask,
    area_weighted_quantile,
    autocorrelation_length_m,
    cloud_slope,
    edge_width_m,
    patch_diameters_m,
    radial_spectrum,
    spectral_slope,
)

SHADOW_REACH_M = 300.0
"""Clear pixels up to this distance from a cloud are near, the others far away."""
BRIGHTNESS_PERCENTS = (50, 95, 99)
"""Quantiles of the brightness of cloudy pixels."""
PATCH_PERCENTS = (10, 50, 90)
"""Quantiles of the patch diameters, weighted by area."""

_MIN_PIXELS = 100  # The mean, spread or quantile of fewer pixels is not worth comparing.
_TEXTURE_M = 30.0  # Finer ground is texture; clouds vary little at this scale.
_SEEN_TEXTURE = 0.3  # If clear textures correlate less, the ground has changed.


@dataclass(frozen=True)
class CloudStatistics:
    """The statistics of one cloudy image.

    Attributes:
        values: Name -> number, NaN if it could not be measured. Reflectance is that of the images,
            slopes are of log power over log frequency, lengths in metres, shares from 0 to 1.
        wavelengths_m: Wavelengths of the spectrum in metres, falling.
        power: Power density at these wavelengths, in squared reflectance times square metres.
        diameters_m: Equivalent diameters of the patches of the mask in metres.
    """

    values: dict[str, float]
    wavelengths_m: Field
    power: Field
    diameters_m: Field


def cloud_statistics(
    clear: Field,
    cloudy: Field,
    mask: Mask,
    gsd_m: float,
    bands: Sequence[str],
    visible: Sequence[int],
) -> CloudStatistics:
    """Compute all statistics of an image.

    Args:
        clear: Bands x H x W reflectance without clouds.
        cloudy: The same place with clouds.
        mask: H x W, true = cloud.
        gsd_m: Side of a pixel in metres.
        bands: Names of the bands.
        visible: Indices of the visible bands.

    Returns:
        The statistics; those of a band are named ``<statistic>/<band>``.

    Raises:
        ValueError: If the sizes or the numbers of bands differ.
    """
    if clear.shape != cloudy.shape or clear.shape != (len(bands), *mask.shape):
        raise ValueError(
            f"expected two images of {len(bands)} bands and the mask's {mask.shape} pixels, found "
            f"{clear.shape} (clear) and {cloudy.shape} (cloudy)"
        )
    contribution = (cloudy - clear)[list(visible)].mean(axis=0)
    diameters_m = patch_diameters_m(mask, gsd_m)
    frequencies, power = radial_spectrum(contribution, gsd_m)
    values = {
        "cover": float(mask.mean()),
        "patches_per_km2": len(diameters_m) / (mask.size * gsd_m**2 / 1e6),
        **{
            f"patch_diameter_{percent}_m": area_weighted_quantile(diameters_m, percent / 100)
            for percent in PATCH_PERCENTS
        },
        "spectral_slope": spectral_slope(frequencies, power),
        "cloud_slope": cloud_slope(contribution, mask, gsd_m),
        "contribution_std": float(contribution.std()),
        "autocorrelation_m": autocorrelation_length_m(contribution, gsd_m),
        "edge_width_m": edge_width_m(contribution, gsd_m),
    }
    for name, numbers in _band_statistics(clear, cloudy, mask, gsd_m).items():
        values |= {f"{name}/{band}": float(x) for band, x in zip(bands, numbers, strict=True)}
    return CloudStatistics(values, 1 / frequencies, power, diameters_m)


def _band_statistics(clear: Field, cloudy: Field, mask: Mask, gsd_m: float) -> dict[str, Field]:
    """Statistics with one value for each band."""
    difference = cloudy - clear
    contrast, haze = _mean(difference, mask), _mean(difference, ~mask)
    return {
        "contrast": contrast,
        "haze": haze,
        "contrast_over_haze": contrast - haze,
        "std_ratio": std_ratio(clear, cloudy, mask),
        **{
            f"brightness_{percent}": quantile(cloudy, mask, percent / 100)
            for percent in BRIGHTNESS_PERCENTS
        },
        "texture_kept": texture_kept(clear, cloudy, mask, gsd_m),
        "shadow": shadow(clear, cloudy, mask, gsd_m),
    }


def quantile(image: Field, mask: Mask, share: float) -> Field:
    """Compute the quantile of each band over the pixels of a mask; NaN for too few pixels."""
    if mask.sum() < _MIN_PIXELS:
        return np.full(len(image), np.nan)
    return np.quantile(image[:, mask], share, axis=1)


def std_ratio(clear: Field, cloudy: Field, mask: Mask) -> Field:
    """Divide the spread of each band under the mask with clouds by that without clouds.

    Returns:
        Ratios of standard deviations; NaN for fewer than 100 pixels or a constant band.
    """
    if mask.sum() < _MIN_PIXELS:
        return np.full(len(clear), np.nan)
    return _divide(cloudy[:, mask].std(axis=1), clear[:, mask].std(axis=1))


def texture_kept(clear: Field, cloudy: Field, mask: Mask, gsd_m: float) -> Field:
    """Measure the share of the fine texture of the ground that is still visible under the mask.

    Texture is what a Gaussian of 30 m removes. If the ground is the same, the regression slope of
    cloudy on clear texture is the transmission of the clouds. Change and misregistration lower the
    slope everywhere, so it is divided by the slope outside the mask.

    Returns:
        A share for each band, approximately the mean transmission; NaN for fewer than 100 pixels
        inside or outside, or if the textures outside correlate by less than 0.3, which means that
        the ground has changed.
    """
    if min(mask.sum(), (~mask).sum()) < _MIN_PIXELS:
        return np.full(len(clear), np.nan)
    sigma = (0, _TEXTURE_M / gsd_m, _TEXTURE_M / gsd_m)
    x, y = (i - ndimage.gaussian_filter(i, sigma, mode="nearest") for i in (clear, cloudy))
    slope_inside, _ = _regressed(x[:, mask], y[:, mask])
    slope_outside, correlation = _regressed(x[:, ~mask], y[:, ~mask])
    return np.where(correlation >= _SEEN_TEXTURE, _divide(slope_inside, slope_outside), np.nan)


def shadow(
    clear: Field, cloudy: Field, mask: Mask, gsd_m: float, reach_m: float = SHADOW_REACH_M
) -> Field:
    """Measure the darkening of clear pixels near clouds, relative to clear pixels far away.

    Args:
        clear: Bands x H x W reflectance without clouds.
        cloudy: The same place with clouds.
        mask: H x W, true = cloud.
        gsd_m: Side of a pixel in metres.
        reach_m: Distance in metres up to which a pixel is near.

    Returns:
        For each band 1 - (cloudy / clear near) / (cloudy / clear far), each a ratio of means;
        negative if a veil around the clouds outweighs their shadow; NaN for fewer than 100 pixels
        near or far.
    """
    if not mask.any():
        return np.full(len(clear), np.nan)
    distance_m = ndimage.distance_transform_edt(~mask, sampling=gsd_m)
    near, far = ~mask & (distance_m <= reach_m), distance_m > reach_m
    if min(near.sum(), far.sum()) < _MIN_PIXELS:
        return np.full(len(clear), np.nan)
    close, away = (_divide(_mean(cloudy, m), _mean(clear, m)) for m in (near, far))
    return 1 - _divide(close, away)


def _mean(image: Field, mask: Mask) -> Field:
    if mask.sum() < _MIN_PIXELS:
        return np.full(len(image), np.nan)
    return image[:, mask].mean(axis=1)


def _regressed(x: Field, y: Field) -> tuple[Field, Field]:
    """Regression slope of y on x and their correlation, row by row."""
    x, y = (values - values.mean(axis=1, keepdims=True) for values in (x, y))
    product, x_squared, y_squared = (x * y).sum(1), (x * x).sum(1), (y * y).sum(1)
    return _divide(product, x_squared), _divide(product, np.sqrt(x_squared * y_squared))


def _divide(a: Field, b: Field) -> Field:
    """Quotient; NaN where the divisor is 0 or almost 0."""
    usable = np.abs(b) > 1e-9
    return np.where(usable, a / np.where(usable, b, 1), np.nan)
