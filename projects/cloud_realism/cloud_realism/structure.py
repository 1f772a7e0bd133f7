"""The shape of clouds in numbers: patches, spectra, lengths and edges."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

Field = NDArray[np.float64]
Mask = NDArray[np.bool_]

SLOPE_WAVELENGTHS_M = (30.0, 300.0)
"""Wavelengths between which the spectrum's slope is fitted, in metres."""
CLOUD_SLOPE_WAVELENGTHS_M = (20.0, 100.0)
"""The same inside clouds, whose windows are 300 m wide."""
_RINGS_PER_OCTAVE = 4
_WINDOW_M = 300.0
_WINDOW_COVER = 0.75  # a window with less cover shows the ground
_SMOOTHING_M = 9.0  # Three pixels of PlanetScope: the ground's and the sensor's noise is finer.


def patch_diameters_m(mask: Mask, gsd_m: float) -> Field:
    """Compute the equivalent diameters of a mask's patches; corners connect pixels.

    Args:
        mask: H x W, true = cloud.
        gsd_m: Side of a pixel in metres.

    Returns:
        One diameter in metres for each patch, ascending. A patch at the border of the image counts
        with the part inside.
    """
    labels, _ = ndimage.label(mask, structure=np.ones((3, 3)))
    pixels = np.bincount(labels.ravel())[1:]
    return np.sort(2 * gsd_m * np.sqrt(pixels / np.pi))


def area_weighted_quantile(diameters_m: Field, share: float) -> float:
    """Find the diameter that patches with at least a share of the cloudy area do not exceed.

    Args:
        diameters_m: Diameters of the patches.
        share: From 0 to 1.

    Returns:
        One of the diameters; NaN if there are none.
    """
    if len(diameters_m) == 0:
        return float("nan")
    ordered = np.sort(diameters_m)
    reached = np.cumsum(ordered**2) / (ordered**2).sum()
    # Rounding must not move a share that is reached exactly to the next patch.
    return float(ordered[np.searchsorted(reached, share - 1e-9)])


def radial_spectrum(field: Field, gsd_m: float) -> tuple[Field, Field]:
    """Compute the power density by frequency, averaged over all directions.

    A Hann window removes the jump between opposite borders, which is not caused by clouds.

    Args:
        field: H x W values.
        gsd_m: Side of a pixel in metres.

    Returns:
        Frequencies in cycles per metre, ascending, from the wavelength of the longer side to two
        pixels, and power density in squared values times square metres: white noise of variance v
        has v * gsd_m ** 2 at all frequencies.
    """
    taper = np.outer(*(np.hanning(side + 2)[1:-1] for side in field.shape))
    centred = field - (field * taper).sum() / taper.sum()
    density = np.abs(fft.fft2(centred * taper)) ** 2 * gsd_m**2 / (taper**2).sum()
    down, right = (fft.fftfreq(side, gsd_m) for side in field.shape)
    frequency = np.hypot(down[:, None], right[None, :])
    edges = _ring_edges(1 / (max(field.shape) * gsd_m), 1 / (2 * gsd_m))
    place = np.digitize(frequency.ravel(), edges) - 1
    chosen = (place >= 0) & (place < len(edges) - 1)
    place, power = place[chosen], density.ravel()[chosen]
    modes = np.bincount(place, minlength=len(edges) - 1)
    filled = modes > 0
    sums = (
        np.bincount(place, values, len(edges) - 1)[filled]
        for values in (np.log(frequency.ravel()[chosen]), power)
    )
    log_frequency, power = (total / modes[filled] for total in sums)
    return np.exp(log_frequency), power


def spectral_slope(
    frequencies: Field, power: Field, wavelengths_m: tuple[float, float] = SLOPE_WAVELENGTHS_M
) -> float:
    """Fit the exponent of a power law to a spectrum; each octave has about the same weight.

    For images of 300 x 300 pixels, slopes down to -4 are correct to 0.1 on average. Steeper slopes
    are overestimated (-5 as -5.3), because the Hann window leaks power from the longest waves.

    Args:
        frequencies: Cycles per metre.
        power: Power density at these frequencies.
        wavelengths_m: The shortest and the longest wavelength to fit, in metres.

    Returns:
        Slope of log power over log frequency, negative if fine detail is weaker; NaN if fewer than
        three points have power.
    """
    shortest, longest = wavelengths_m
    chosen = (frequencies >= 1 / longest) & (frequencies <= 1 / shortest) & (power > 0)
    if chosen.sum() < 3:
        return float("nan")
    return float(np.polyfit(np.log(frequencies[chosen]), np.log(power[chosen]), 1)[0])


def cloud_slope(contribution: Field, mask: Mask, gsd_m: float) -> float:
    """Fit the slope of the spectrum between 20 m and 100 m inside clouds.

    The ground of a real pair changes most in its finest detail, where clouds have the least power,
    and this flattens the spectrum of the whole image. Windows of 300 m that are three quarters
    cloudy hardly show the ground. Their spectra are averaged, so the strongest clouds have the
    most weight. Steep slopes are overestimated: -3 as -3.1, -4 as -4.2, -5 as -5.4.

    Args:
        contribution: H x W, cloudy minus clear.
        mask: H x W, true = cloud.
        gsd_m: Side of a pixel in metres.

    Returns:
        Slope of log power over log frequency; NaN if there is no such window.
    """
    side = max(round(_WINDOW_M / gsd_m), 2)
    starts = (range(0, length - side + 1, max(side // 4, 1)) for length in mask.shape)
    windows = [
        (slice(top, top + side), slice(left, left + side))
        for top, left in itertools.product(*starts)
    ]
    spectra = [
        radial_spectrum(_without_plane(contribution[window]), gsd_m)
        for window in windows
        if mask[window].mean() >= _WINDOW_COVER
    ]
    if not spectra:
        return float("nan")
    power = np.mean([power for _, power in spectra], axis=0)
    return spectral_slope(spectra[0][0], power, CLOUD_SLOPE_WAVELENGTHS_M)


def autocorrelation_length_m(field: Field, gsd_m: float) -> float:
    """Find the distance at which the autocorrelation, averaged over directions, falls below 1/e.

    Args:
        field: H x W values.
        gsd_m: Side of a pixel in metres.

    Returns:
        Metres; NaN for a constant field, or if the autocorrelation is still above 1/e at half of
        the shorter side.
    """
    centred = field - field.mean()
    if not centred.std() > 1e-12:
        return float("nan")
    shape = tuple(fft.next_fast_len(2 * side, real=True) for side in field.shape)
    products = fft.irfft2(np.abs(fft.rfft2(centred, shape)) ** 2, shape)
    pairs = fft.irfft2(np.abs(fft.rfft2(np.ones(field.shape), shape)) ** 2, shape)
    down, right = (fft.fftfreq(side, 1 / side) for side in shape)
    lag = np.hypot(down[:, None], right[None, :])
    reach = min(field.shape) // 2
    near = lag < reach
    ring = np.rint(lag[near]).astype(int)
    count = np.bincount(ring)
    correlation = np.bincount(ring, products[near] / pairs[near]) / count / centred.var()
    lags = np.bincount(ring, lag[near]) / count
    below = np.flatnonzero(correlation < np.exp(-1))
    if below.size == 0:
        return float("nan")
    last, first = below[0] - 1, below[0]
    part = (correlation[last] - np.exp(-1)) / (correlation[last] - correlation[first])
    return float(gsd_m * (lags[last] + part * (lags[first] - lags[last])))


def edge_width_m(contribution: Field, gsd_m: float) -> float:
    """Measure the width of the steepest transitions from clear to cloud.

    This is the range between the 1st and the 99th percentile, divided by the 99th percentile of
    the gradient, after smoothing by 9 m. It uses no mask, because masks of real images are coarse.

    Args:
        contribution: H x W, cloudy minus clear.
        gsd_m: Side of a pixel in metres.

    Returns:
        Metres; NaN for a constant field.
    """
    smooth = ndimage.gaussian_filter(contribution, _SMOOTHING_M / gsd_m, mode="nearest")
    steepest = np.quantile(np.hypot(*np.gradient(smooth, gsd_m)), 0.99)
    low, high = np.quantile(smooth, (0.01, 0.99))
    return float((high - low) / steepest) if steepest > 1e-12 else float("nan")


def _without_plane(field: Field) -> Field:
    """The field without its least-squares plane."""
    flat = field - field.mean()
    for axis, side in enumerate(field.shape):
        x = np.expand_dims(np.arange(side) - (side - 1) / 2, 1 - axis)
        flat = flat - x * (flat * x).sum() / (x**2).sum() / field.shape[1 - axis]
    return flat


def _ring_edges(lowest: float, highest: float) -> Field:
    """Edges of rings, as wide as the lowest frequency or a part of an octave, whichever is wider.

    Narrower rings would contain few modes in few directions.
    """
    edges = [lowest / 2]
    while edges[-1] < highest:
        edges.append(max(edges[-1] + lowest, edges[-1] * 2 ** (1 / _RINGS_PER_OCTAVE)))
    return np.array([*edges[:-1], highest])
