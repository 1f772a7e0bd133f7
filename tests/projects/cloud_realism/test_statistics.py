"""Statistics of clouds on made-up images whose answers are known."""

import re

import numpy as np
import pytest
from scipy import ndimage

from cloud_realism.statistics import (
    cloud_statistics,
    quantile,
    shadow,
    std_ratio,
    texture_kept,
)
from cloud_realism.structure import (
    area_weighted_quantile,
    autocorrelation_length_m,
    cloud_slope,
    edge_width_m,
    patch_diameters_m,
    radial_spectrum,
    spectral_slope,
)

BANDS = ("blue", "nir")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def power_law_field(rng, side, slope):
    """A field whose power falls as frequency ** slope, cut out of a larger torus."""
    canvas = 4 * side
    frequency = np.hypot(np.fft.fftfreq(canvas)[:, None], np.fft.rfftfreq(canvas)[None])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((canvas, canvas))) * frequency ** (slope / 2)
    return np.fft.irfft2(spectrum, (canvas, canvas))[:side, :side]


def squares():
    """100 x 100: squares of 20 and of 8 pixels, and two of 4 that touch at a corner."""
    mask = np.zeros((100, 100), bool)
    mask[10:30, 10:30] = True
    mask[50:58, 70:78] = True
    mask[80:84, 20:24] = mask[84:88, 24:28] = True
    return mask


def test_patches_are_circles_of_the_squares_areas():
    found = patch_diameters_m(squares(), gsd_m=3)
    sides = np.array([np.sqrt(32), 8, 20]) * 3
    assert found == pytest.approx(2 * sides / np.sqrt(np.pi))
    assert len(patch_diameters_m(np.zeros((5, 5), bool), 3)) == 0
    assert patch_diameters_m(np.ones((5, 5), bool), 2) == pytest.approx([2 * 10 / np.sqrt(np.pi)])


def test_quantiles_weigh_patches_by_area():
    # Areas 1 : 4 : 15 of 20 in all.
    diameters = np.sqrt(np.array([15.0, 1.0, 4.0]))
    for share, area in ((0.05, 1), (0.06, 4), (0.25, 4), (0.26, 15), (1.0, 15)):
        assert area_weighted_quantile(diameters, share) == pytest.approx(np.sqrt(area)), share
    assert np.isnan(area_weighted_quantile(np.array([]), 0.5))


@pytest.mark.parametrize("shape", [(100, 100), (80, 120)])
def test_white_noise_has_its_variance_times_a_pixel_everywhere(rng, shape):
    levels = [radial_spectrum(0.3 * rng.standard_normal(shape) + 5, 4.0)[1] for _ in range(60)]
    expected = 0.3**2 * 4.0**2
    level = np.mean(levels, axis=0)
    # The first ring holds a mode or two, less what the mean took.
    assert level[1:] == pytest.approx(expected, rel=0.2)
    assert level[6:].mean() == pytest.approx(expected, rel=0.02)


def test_a_wave_peaks_at_its_length():
    x = np.arange(300) * 3.0
    wave = np.sin(2 * np.pi * x / 60)[None].repeat(300, axis=0)
    frequencies, power = radial_spectrum(wave, 3.0)
    assert 1 / frequencies[np.argmax(power)] == pytest.approx(60, rel=0.1)
    assert frequencies[0] == pytest.approx(1 / 900, rel=0.3)
    assert 1 / 6 * 0.8 < frequencies[-1] <= 1 / 6
    assert (np.diff(frequencies) > 0).all()


@pytest.mark.parametrize("slope", [-2.0, -3.0, -3.7])
def test_the_slope_of_a_power_law_is_found(rng, slope):
    found = [
        spectral_slope(*radial_spectrum(power_law_field(rng, 300, slope), 3.0)) for _ in range(12)
    ]
    assert np.mean(found) == pytest.approx(slope, abs=0.15)


def test_the_slope_is_fitted_between_its_wavelengths_only():
    frequencies = np.geomspace(1 / 1000, 1 / 6, 60)
    power = frequencies**-3.0
    power[frequencies > 1 / 30] = 7
    power[frequencies < 1 / 300] = 7
    assert spectral_slope(frequencies, power) == pytest.approx(-3)
    assert spectral_slope(frequencies, power, (6, 25)) == pytest.approx(0, abs=1e-9)
    assert np.isnan(spectral_slope(frequencies[:2], power[:2]))
    assert np.isnan(spectral_slope(frequencies, np.zeros(60)))


def test_the_slope_inside_clouds_leaves_out_the_ground(rng):
    mask = np.zeros((300, 300), bool)
    mask[:, :150] = True
    clouds = [power_law_field(rng, 300, -3.5) for _ in range(6)]
    found = [cloud_slope(field, mask, 3.0) for field in clouds]
    assert np.mean(found) == pytest.approx(-3.6, abs=0.15)
    for field, slope in zip(clouds, found, strict=True):
        # Windows of 100 pixels, three quarters of them cloudy, end before column 175.
        other = field.copy()
        other[:, 175:] += 2 * field.std() * rng.standard_normal((300, 125))
        assert cloud_slope(other, mask, 3.0) == pytest.approx(slope)
        assert spectral_slope(*radial_spectrum(other, 3.0)) > slope + 0.5
    assert np.isnan(cloud_slope(field, np.zeros((300, 300), bool), 3.0))
    assert np.isnan(cloud_slope(field[:90, :90], mask[:90, :90], 3.0))


def test_smoothed_noise_correlates_over_twice_its_filter(rng):
    # Noise through a Gaussian of width s has the autocorrelation exp(-r^2 / (4 s^2)).
    found = [
        autocorrelation_length_m(
            ndimage.gaussian_filter(rng.standard_normal((300, 300)), 6, mode="wrap"), 3.0
        )
        for _ in range(8)
    ]
    assert np.mean(found) == pytest.approx(2 * 6 * 3.0, rel=0.06)


def test_no_length_where_there_is_none():
    assert np.isnan(autocorrelation_length_m(np.full((40, 40), 0.3), 3.0))
    assert np.isnan(edge_width_m(np.full((40, 40), 0.3), 3.0))


def test_the_width_of_a_ramp_is_found():
    x = np.arange(300) * 3.0
    ramp = np.clip((x - 300) / 150, 0, 1)[None].repeat(300, axis=0)
    assert edge_width_m(ramp, 3.0) == pytest.approx(150, rel=0.03)
    assert edge_width_m(7 * ramp + 2, 3.0) == pytest.approx(edge_width_m(ramp, 3.0))
    # A sharp edge is as wide as the smoothing, whose slope is 1 / (sqrt(2 pi) 9 m).
    step = (x % 300 > 150)[None].repeat(300, axis=0).astype(float)
    assert edge_width_m(step, 3.0) == pytest.approx(9 * np.sqrt(2 * np.pi), rel=0.05)


def test_quantiles_are_of_the_mask_alone():
    image = np.stack([np.linspace(0, 1, 10_000).reshape(100, 100)] * 2)
    image[1] *= 10
    mask = image[0] > 0.5
    assert quantile(image, mask, 0.5) == pytest.approx([0.75, 7.5], rel=1e-3)
    assert quantile(image, mask, 0.95) == pytest.approx([0.975, 9.75], rel=1e-3)
    few = np.zeros((100, 100), bool)
    few[0, :99] = True
    assert np.isnan(quantile(image, few, 0.5)).all()


def test_spread_is_of_the_mask_alone(rng):
    clear = rng.random((2, 60, 60))
    mask = np.zeros((60, 60), bool)
    mask[:, :20] = True
    cloudy = clear * 9
    cloudy[:, mask] = np.array([0.5, 2.0])[:, None] * clear[:, mask] + 0.4
    assert std_ratio(clear, cloudy, mask) == pytest.approx([0.5, 2.0])
    clear[0, mask] = 0.1
    assert np.isnan(std_ratio(clear, cloudy, mask)[0])


def test_texture_under_a_veil_is_its_transmission(rng):
    clear = 0.2 + 0.02 * rng.standard_normal((2, 200, 200))
    mask = np.zeros((200, 200), bool)
    mask[:, :100] = True
    passed = np.where(mask, 0.3, 0.9)
    veil = np.linspace(0, 0.5, 200)[:, None]
    assert texture_kept(clear, clear * passed + veil, mask, 3.0) == pytest.approx(
        [1 / 3, 1 / 3], rel=0.02
    )
    other = 0.2 + 0.02 * rng.standard_normal((2, 200, 200))
    assert np.isnan(texture_kept(clear, other, mask, 3.0)).all()
    assert np.isnan(texture_kept(clear, clear, np.ones((200, 200), bool), 3.0)).all()


def test_shadow_is_what_near_pixels_lack():
    clear = np.full((2, 200, 200), 0.1)
    clear[1] = 0.4
    mask = np.zeros((200, 200), bool)
    mask[:, :10] = True  # column 109 is the last within 300 m of column 9
    cloudy = clear.copy()
    cloudy[0, :, 10:110] *= 0.8
    cloudy[1, :, 10:110] *= 0.7
    cloudy[:, :, :10] = 0.6
    assert shadow(clear, cloudy, mask, 3.0) == pytest.approx([0.2, 0.3])
    # Haze that is everywhere alike takes nothing away.
    assert shadow(clear, 1.5 * cloudy, mask, 3.0) == pytest.approx([0.2, 0.3])
    assert shadow(clear, cloudy, mask, 3.0, reach_m=150)[0] == pytest.approx(
        1 - 0.8 / ((50 * 0.8 + 90) / 140)
    )
    for nowhere in (np.zeros_like(mask), np.ones_like(mask)):
        assert np.isnan(shadow(clear, cloudy, nowhere, 3.0)).all()
    # No pixel is further than 300 m from this cloud.
    mask[:, 95:105] = True
    assert np.isnan(shadow(clear, cloudy, mask, 3.0)).all()


def test_all_statistics_of_an_image():
    mask = squares()
    clear = np.stack([np.full((100, 100), 0.1), np.full((100, 100), 0.3)])
    cloudy = clear + np.array([0.04, 0.02])[:, None, None]
    cloudy[:, mask] = np.array([0.5, 0.6])[:, None]
    found = cloud_statistics(clear, cloudy, mask, 10.0, BANDS, visible=[0])
    values = found.values
    assert values["cover"] == pytest.approx(496 / 10_000)
    assert values["patches_per_km2"] == pytest.approx(3)
    assert values["patch_diameter_50_m"] == pytest.approx(found.diameters_m[-1])
    assert values["patch_diameter_10_m"] == pytest.approx(found.diameters_m[1])
    share = 496 / 10_000
    assert values["contribution_std"] == pytest.approx(0.36 * np.sqrt(share * (1 - share)))
    for band, contrast, haze in (("blue", 0.4, 0.04), ("nir", 0.3, 0.02)):
        assert values[f"contrast/{band}"] == pytest.approx(contrast)
        assert values[f"haze/{band}"] == pytest.approx(haze)
        assert values[f"contrast_over_haze/{band}"] == pytest.approx(contrast - haze)
    assert values["brightness_99/nir"] == pytest.approx(0.6)
    assert np.isnan(values["std_ratio/nir"])
    assert 1 / found.wavelengths_m[-1] <= 1 / 20 and (np.diff(found.wavelengths_m) < 0).all()
    assert found.power.shape == found.wavelengths_m.shape
    # The near infrared is no part of the contribution.
    cloudy[1] = 0
    again = cloud_statistics(clear, cloudy, mask, 10.0, BANDS, visible=[0])
    assert again.power == pytest.approx(found.power)


def test_sizes_that_disagree_are_refused():
    image, mask = np.zeros((2, 20, 20)), np.zeros((20, 20), bool)
    whole, cut, half = "(2, 20, 20)", "(2, 19, 20)", "(2, 10, 20)"
    for clear, cloudy, bands, found in (
        (image, image[:, :19], BANDS, (2, whole, cut)),
        (image, image, ("blue",), (1, whole, whole)),
        (image[:, :10], image[:, :10], BANDS, (2, half, half)),
    ):
        count, *shapes = found
        expected = rf"{count} bands .*\(20, 20\) .*{'.*'.join(map(re.escape, shapes))}"
        with pytest.raises(ValueError, match=expected):
            cloud_statistics(clear, cloudy, mask, 3.0, bands, [0])
