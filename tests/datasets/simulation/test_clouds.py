"""Clouds: cover, mask, colour, shadow."""

import numpy as np
import pytest

from mmcloudseg.datasets.simulation import (
    CLOUD_KINDS,
    PLANETSCOPE_UM,
    CloudKind,
    Clouds,
    add_clouds,
    draw_clouds,
)

SHAPE = (120, 150)


def _clear(bands=4):
    return np.random.default_rng(9).uniform(0.02, 0.3, (bands, *SHAPE))


@pytest.mark.parametrize("kind", sorted(CLOUD_KINDS))
@pytest.mark.parametrize("cover", [0.0, 0.01, 0.2, 0.5, 0.8, 0.99, 1.0])
def test_cover_is_the_one_asked_for(kind, cover):
    clouds = draw_clouds(np.random.default_rng(2), SHAPE, 3.0, cover, kind)
    tolerance = 0 if cover in (0, 1) else 0.002
    assert clouds.cover == pytest.approx(cover, abs=tolerance)


@pytest.mark.parametrize("threshold", [0.05, 0.1, 0.3])
def test_mask_is_opacity_over_the_threshold(threshold):
    clouds = draw_clouds(np.random.default_rng(2), SHAPE, 3.0, 0.4, threshold=threshold)
    ground_light = clouds.transmission([0.55])[0]
    np.testing.assert_array_equal(clouds.mask, 1 - ground_light > threshold)
    assert clouds.cover == pytest.approx(0.4, abs=0.002)


@pytest.mark.parametrize("kind", sorted(CLOUD_KINDS))
def test_only_cloud_and_shadow_change_the_image(kind):
    clear = _clear()
    clouds = draw_clouds(np.random.default_rng(8), SHAPE, 3.0, 0.3, kind)
    change = np.abs(add_clouds(clear, clouds, PLANETSCOPE_UM) - clear).max(axis=0)
    untouched = (clouds.opacity == 0) & (clouds.shadow == 0)
    assert untouched.mean() > 0.1
    assert change[untouched].max() == 0
    assert (change[clouds.mask] > 1e-3).mean() > 0.99
    shadowed = (clouds.opacity == 0) & (clouds.shadow > 0.2)
    assert shadowed.any()
    assert change[shadowed].min() > 1e-3


@pytest.mark.parametrize("kind", sorted(CLOUD_KINDS))
def test_no_cover_means_no_trace_not_even_a_shadow_from_outside(kind):
    clear = _clear()
    for seed in range(5):
        clouds = draw_clouds(np.random.default_rng(seed), SHAPE, 3.0, 0.0, kind)
        assert clouds.opacity.max() == clouds.shadow.max() == 0
        np.testing.assert_array_equal(add_clouds(clear, clouds, PLANETSCOPE_UM), clear)


def test_image_formation_by_hand():
    def level(value):
        return np.full((2, 2), value)

    clouds = Clouds(level(0.5), level(0.4), level(1.0), level(0.5))
    cloudy = add_clouds(np.full((1, 2, 2), 0.2), clouds, [0.865])
    transmission = np.exp(-0.5 - 0.4 * 0.55 / 0.865)
    opacity = 1 - np.exp(-0.9)
    airlight = 0.67 * (0.5 + 0.5 * opacity**2)
    ground = 0.2 * (1 - 0.62 * 0.5)
    expected = ground * transmission + airlight * (1 - transmission)
    np.testing.assert_allclose(cloudy, expected, rtol=1e-12)


def test_thin_cloud_hides_blue_more_than_infrared_and_thick_hides_all():
    nothing, level = np.zeros(SHAPE), np.full(SHAPE, 0.5)
    thin = Clouds(nothing, level, np.ones(SHAPE), nothing).transmission(PLANETSCOPE_UM)
    thick = Clouds(level, nothing, np.ones(SHAPE), nothing).transmission(PLANETSCOPE_UM)
    assert (np.diff(thin[:, 0, 0]) > 0.02).all()
    assert np.ptp(thick[:, 0, 0]) == 0
    black = np.zeros((4, *SHAPE))
    veil = add_clouds(black, Clouds(nothing, level, np.ones(SHAPE), nothing), PLANETSCOPE_UM)
    deck = add_clouds(black, Clouds(level * 20, nothing, np.ones(SHAPE), nothing), PLANETSCOPE_UM)
    assert veil[0, 0, 0] / veil[3, 0, 0] > 1.2 * deck[0, 0, 0] / deck[3, 0, 0]


def test_thin_cloud_leaves_the_ground_visible_and_thick_cloud_does_not():
    def seen(kind):
        drawn = [draw_clouds(np.random.default_rng(s), SHAPE, 3.0, 0.7, kind) for s in range(6)]
        return np.median(np.concatenate([1 - clouds.opacity[clouds.mask] for clouds in drawn]))

    assert seen("thin") > 0.4
    assert seen("thick") < 0.3
    assert seen("thick") < seen("mixed") < seen("thin")


def test_edges_are_soft():
    clouds = draw_clouds(np.random.default_rng(4), SHAPE, 3.0, 0.5, "thick")
    inner = (clouds.opacity > 0.15) & (clouds.opacity < 0.85)
    assert inner.mean() > 0.1
    assert np.abs(np.diff(clouds.opacity, axis=1)).max() < 0.5


@pytest.mark.parametrize(
    ("azimuth_deg", "direction"),
    [(0, (1, 0)), (90, (0, -1)), (180, (-1, 0)), (270, (0, 1)), (135, (-0.7071, -0.7071))],
)
def test_shadows_fall_away_from_the_sun(azimuth_deg, direction):
    clouds = draw_clouds(
        np.random.default_rng(6), SHAPE, 3.0, 0.3, "thick", azimuth_deg, shadow_length_m=60
    )
    down, right = (round(20 * part) for part in direction)
    rows, columns = np.indices(SHAPE)
    source = (rows - down, columns - right)
    inside = (source[0] >= 0) & (source[0] < SHAPE[0]) & (source[1] >= 0) & (source[1] < SHAPE[1])
    sources = clouds.opacity[source[0][inside], source[1][inside]]
    assert np.corrcoef(sources, clouds.shadow[inside])[0, 1] > 0.95
    assert np.corrcoef(clouds.opacity.ravel(), clouds.shadow.ravel())[0, 1] < 0.9


def test_any_number_of_bands():
    clouds = draw_clouds(np.random.default_rng(0), SHAPE, 10.0, 0.5)
    assert add_clouds(_clear(7), clouds, np.linspace(0.45, 2.2, 7)).shape == (7, *SHAPE)


def test_wrong_arguments_are_named():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="from 0 to 1, found 40"):
        draw_clouds(rng, SHAPE, 3.0, 40)
    with pytest.raises(ValueError, match=r"'mixed', 'thick', 'thin'.*'fog'"):
        draw_clouds(rng, SHAPE, 3.0, 0.4, "fog")
    with pytest.raises(ValueError, match="deeper clouds or a lower threshold"):
        draw_clouds(rng, SHAPE, 3.0, 1.0, CloudKind(thick_depth=0.0, thin_depth=0.05))
    clouds = draw_clouds(rng, SHAPE, 3.0, 0.4)
    with pytest.raises(ValueError, match=r"expected bands x height x width of \(4, 120, 150\)"):
        add_clouds(_clear(3), clouds, PLANETSCOPE_UM)
