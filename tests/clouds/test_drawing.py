"""Clouds: cover, mask, colour, shadow."""

import dataclasses

import numpy as np
import pytest

from mmcloudseg.clouds import (
    CLOUD_KINDS,
    CloudKind,
    Clouds,
    add_clouds,
    cloud_reflectance,
    draw_clouds,
)
from mmcloudseg.clouds.layers import opacity as opacity_of
from mmcloudseg.rasters.sensors import PLANETSCOPE_UM

SHAPE = (120, 150)
KINDS = sorted(CLOUD_KINDS)


def _rng(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def _clear(bands=4):
    return np.random.default_rng(9).uniform(0.02, 0.3, (bands, *SHAPE)).astype(np.float32)


def _level(value, shape=SHAPE):
    return np.full(shape, value, np.float32)


def _layer(thick=0.0, thin=0.0, shading=1.0, shadow=0.0, angstrom=1.0, shape=SHAPE):
    layers = _level(thick, shape), _level(thin, shape)
    light = _level(shading, shape), _level(shadow, shape)
    return Clouds(*layers, opacity_of(*layers), *light, angstrom)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cover", [0.0, 0.01, 0.2, 0.5, 0.8, 0.99, 1.0])
def test_cover_is_the_one_asked_for(kind, cover):
    clouds = draw_clouds(_rng(2), SHAPE, 3.0, cover, kind)
    tolerance = 0 if cover in (0, 1) else 0.002
    assert clouds.cover == pytest.approx(cover, abs=tolerance)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("threshold", [0.05, 0.1, 0.3, 0.6])
def test_mask_is_opacity_over_the_threshold_by_a_clear_gap(kind, threshold):
    clouds = draw_clouds(_rng(2), SHAPE, 3.0, 0.4, kind, threshold=threshold)
    np.testing.assert_array_equal(clouds.mask, clouds.opacity > threshold)
    steps = clouds.opacity.astype(float) * 10_000
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)
    assert np.abs(steps - threshold * 10_000).min() > 2
    ground_light = clouds.transmissions([0.55])[0]
    np.testing.assert_allclose(1 - ground_light, clouds.opacity, atol=6e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_only_cloud_and_shadow_change_the_image(kind):
    clear = _clear()
    clouds = draw_clouds(_rng(12), SHAPE, 3.0, 0.3, kind)
    change = np.abs(add_clouds(clear, clouds, PLANETSCOPE_UM) - clear).max(axis=0)
    untouched = (clouds.opacity == 0) & (clouds.shadow == 0)
    assert untouched.mean() > 0.05
    assert change[untouched].max() == 0
    assert (change[clouds.mask] > 1e-3).mean() > 0.99
    shadowed = (clouds.opacity == 0) & (clouds.shadow > 0.2)
    assert shadowed.any() == (kind != "fog")
    assert (change[shadowed] > 1e-3).all()


def test_fog_casts_no_shadow_and_thick_cloud_does():
    drawn = {kind: draw_clouds(_rng(8), SHAPE, 3.0, 0.5, kind) for kind in ("fog", "thick")}
    assert drawn["fog"].shadow.max() == 0
    assert drawn["thick"].shadow.max() > 0.8


@pytest.mark.parametrize("kind", KINDS)
def test_no_cover_means_no_trace_not_even_a_shadow_from_outside(kind):
    clear = _clear()
    for seed in range(5):
        clouds = draw_clouds(_rng(seed), SHAPE, 3.0, 0.0, kind)
        assert clouds.opacity.max() == clouds.shadow.max() == 0
        np.testing.assert_array_equal(add_clouds(clear, clouds, PLANETSCOPE_UM), clear)


def test_image_formation_by_hand():
    clouds = _layer(0.5, 0.375, 1.1, 0.5, shape=(2, 2))
    transmission = np.exp(-0.5 - 0.375 * 0.55 / 0.865)
    opacity = 1 - np.exp(-0.875)
    ground = 0.2 * (1 - 0.62 * 0.5)
    for white, unit in ((None, 0.67), ([3000.0], 3000.0)):
        cloudy = add_clouds(_level(0.2, (1, 2, 2)), clouds, [0.865], white)
        airlight = unit * (0.5 + 0.5 * opacity**2) * 1.1
        expected = ground * transmission + airlight * (1 - transmission)
        np.testing.assert_allclose(cloudy, expected, rtol=1e-4)


def test_thin_cloud_hides_blue_more_than_infrared_and_thick_hides_all():
    thin = [t[0, 0] for t in _layer(thin=0.5).transmissions(PLANETSCOPE_UM)]
    thick = [t[0, 0] for t in _layer(thick=0.5).transmissions(PLANETSCOPE_UM)]
    assert (np.diff(thin) > 0.02).all()
    np.testing.assert_allclose(thick, np.exp(-0.5), rtol=1e-6)
    np.testing.assert_allclose(thin, np.exp(-0.5 * 0.55 / np.array(PLANETSCOPE_UM)), rtol=1e-6)
    black = np.zeros((4, *SHAPE))
    veil = add_clouds(black, _layer(thin=0.5), PLANETSCOPE_UM)[:, 0, 0]
    deck = add_clouds(black, _layer(thick=15.0), PLANETSCOPE_UM)[:, 0, 0]
    assert veil[0] / veil[3] > 1.2 * deck[0] / deck[3]
    np.testing.assert_allclose(deck, cloud_reflectance(PLANETSCOPE_UM), rtol=2e-3)


def test_fog_is_greyer_than_a_thin_veil():
    grey = {k: _layer(thin=0.5, angstrom=CLOUD_KINDS[k].angstrom) for k in ("fog", "thin")}
    falls = {
        k: clouds.transmissions([0.865])[0][0, 0] - clouds.transmissions([0.49])[0][0, 0]
        for k, clouds in grey.items()
    }
    assert 0 < falls["fog"] < 0.4 * falls["thin"]


def test_thin_cloud_leaves_the_ground_visible_and_thick_cloud_does_not():
    def seen(kind):
        drawn = [draw_clouds(_rng(s), SHAPE, 10.0, 0.7, kind) for s in range(8)]
        return np.median(np.concatenate([1 - clouds.opacity[clouds.mask] for clouds in drawn]))

    light = {kind: seen(kind) for kind in KINDS}
    assert light["thin"] > 0.4
    assert light["fog"] > 0.3
    assert light["thick"] < 0.35
    assert light["local"] < 0.35
    assert light["mixed"] < 0.35
    assert light["thick"] < light["thin"]


def test_local_clouds_are_small_and_fog_is_large():
    def edges(kind):
        drawn = [draw_clouds(_rng(s), SHAPE, 10.0, 0.5, kind).mask for s in range(8)]
        return np.mean([(m[:, 1:] != m[:, :-1]).mean() for m in drawn])

    assert edges("local") > 1.3 * edges("thick") > 1.3 * 1.5 * edges("fog")


def test_edges_are_soft():
    clouds = draw_clouds(_rng(4), SHAPE, 3.0, 0.5, "thick")
    inner = (clouds.opacity > 0.15) & (clouds.opacity < 0.85)
    assert inner.mean() > 0.1
    assert np.abs(np.diff(clouds.opacity, axis=1)).max() < 0.5


@pytest.mark.parametrize(
    ("azimuth_deg", "direction"),
    [(0, (1, 0)), (90, (0, -1)), (180, (-1, 0)), (270, (0, 1)), (135, (-0.7071, -0.7071))],
)
def test_shadows_fall_away_from_the_sun(azimuth_deg, direction):
    kind = dataclasses.replace(CLOUD_KINDS["thick"], shadow_m=(60, 60))
    clouds = draw_clouds(_rng(6), SHAPE, 3.0, 0.3, kind, azimuth_deg)
    down, right = (round(20 * part) for part in direction)
    rows, columns = np.indices(SHAPE)
    source = (rows - down, columns - right)
    inside = (source[0] >= 0) & (source[0] < SHAPE[0]) & (source[1] >= 0) & (source[1] < SHAPE[1])
    sources = clouds.opacity[source[0][inside], source[1][inside]]
    np.testing.assert_array_equal(sources, clouds.shadow[inside])
    assert np.corrcoef(clouds.opacity.ravel(), clouds.shadow.ravel())[0, 1] < 0.9


def test_a_real_mask_is_taken_to_the_pixel():
    rows, columns = np.indices(SHAPE)
    mask = (np.hypot(rows - 60, columns - 100) < 30) | ((rows < 12) & (columns < 20))
    for kind in KINDS:
        clouds = draw_clouds(_rng(1), SHAPE, 3.0, mask, kind)
        np.testing.assert_array_equal(clouds.mask, mask)
        # Deeper inside than at the edge.
        assert clouds.opacity[60, 100] > 1.5 * clouds.opacity[60, 129]
    full, empty = np.ones(SHAPE, bool), np.zeros(SHAPE, bool)
    assert draw_clouds(_rng(1), SHAPE, 3.0, full).mask.all()
    assert draw_clouds(_rng(1), SHAPE, 3.0, empty).opacity.max() == 0


def test_relief_brightens_the_side_of_the_sun():
    kind = dataclasses.replace(CLOUD_KINDS["thick"], texture=0.0)
    clouds = draw_clouds(_rng(6), SHAPE, 3.0, 0.5, kind, sun_azimuth_deg=90)
    slope_east = np.gradient(clouds.thick, axis=1)
    assert clouds.shading[slope_east < -0.05].mean() > 1.01
    assert clouds.shading[slope_east > 0.05].mean() < 0.99


def test_any_number_of_bands():
    clouds = draw_clouds(_rng(), SHAPE, 10.0, 0.5)
    assert add_clouds(_clear(7), clouds, np.linspace(0.45, 2.2, 7)).shape == (7, *SHAPE)


def test_wrong_arguments_are_named():
    rng = _rng()
    with pytest.raises(ValueError, match=r"cover: .*0 to 1, found 40"):
        draw_clouds(rng, SHAPE, 3.0, 40)
    with pytest.raises(ValueError, match=r"'fog', 'local', 'mixed', 'thick', 'thin'.*'mist'"):
        draw_clouds(rng, SHAPE, 3.0, 0.4, "mist")
    with pytest.raises(ValueError, match=r"threshold: .*0\.05 to 0\.9, found 0\.95"):
        draw_clouds(rng, SHAPE, 3.0, 0.4, threshold=0.95)
    with pytest.raises(ValueError, match=r"booleans of \(120, 150\), found uint8 of \(3, 3\)"):
        draw_clouds(rng, SHAPE, 3.0, np.ones((3, 3), np.uint8))
    clouds = draw_clouds(rng, SHAPE, 3.0, 0.4)
    with pytest.raises(ValueError, match=r"clear: .*\(4, 120, 150\).*found \(3, 120, 150\)"):
        add_clouds(_clear(3), clouds, PLANETSCOPE_UM)
    with pytest.raises(ValueError, match=r"white: .* 4 bands, found 1"):
        add_clouds(_clear(4), clouds, PLANETSCOPE_UM, [1.0])


def test_a_kind_too_faint_for_the_threshold_still_has_its_cover():
    faint = CloudKind(thin_depth=0.01)
    assert draw_clouds(_rng(), SHAPE, 3.0, 0.6, faint).cover == pytest.approx(0.6, abs=0.002)
