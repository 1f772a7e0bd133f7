"""Class maps: shares, coherence, and their coarser version."""

import numpy as np
import pytest
from scipy import ndimage

from mmcloudseg.procedural.landscape import (
    CLASS_CODES,
    aggregate_cover,
    draw_landscape,
    draw_shares,
)
from mmcloudseg.procedural.materials import Material, draw_materials

SHARES = {10: 0.2, 30: 0.2, 40: 0.25, 50: 0.1, 60: 0.1, 80: 0.15}


@pytest.fixture(scope="module")
def place():
    return draw_landscape(np.random.default_rng(5), (200, 240), 3.0, SHARES)


def test_shares_sum_to_one_and_the_dominant_class_leads():
    for seed, dominant in enumerate(CLASS_CODES * 3):
        shares = draw_shares(np.random.default_rng(seed), dominant)
        assert sum(shares.values()) == pytest.approx(1)
        assert shares[dominant] >= 0.3
        assert min(shares.values()) >= 0.02


def test_place_has_the_shares_asked_for(place):
    counted = {code: (place.cover == code).mean() for code in (40, 50, 60, 80)}
    assert counted == pytest.approx({code: SHARES[code] for code in counted}, abs=0.03)
    rangeland = np.isin(place.cover, (20, 30)).mean()
    assert rangeland == pytest.approx(SHARES[30], abs=0.03)
    assert set(np.unique(place.cover)) <= {10, 20, 30, 40, 50, 60, 80, 90}


def test_places_are_made_of_patches_not_of_dots(place):
    for code in (10, 40, 50, 80):
        regions, count = ndimage.label(place.cover == code)
        largest = np.bincount(regions.ravel())[1:].max()
        assert largest > 0.2 * (place.cover == code).sum(), (code, count)


def test_fields_are_farmed_as_a_whole(place):
    area = np.bincount(place.parcels.ravel())
    farmed = np.bincount(place.parcels.ravel(), weights=(place.cover == 40).ravel())
    built_or_wet = np.bincount(
        place.parcels.ravel(), weights=np.isin(place.cover, (50, 80)).ravel()
    )
    undisturbed = (built_or_wet == 0) & (area > 20)
    share = farmed[undisturbed] / area[undisturbed]
    assert ((share > 0) & (share < 1)).sum() <= 1


@pytest.mark.parametrize(("shape", "gsd_m"), [((64, 64), 10.0), ((120, 90), 5.0), ((50, 70), 0.5)])
def test_any_size_and_pixel(shape, gsd_m):
    place = draw_landscape(np.random.default_rng(0), shape, gsd_m, SHARES)
    materials = draw_materials(np.random.default_rng(0), place, 0.5)
    assert place.cover.shape == materials.shape == shape


def test_aggregation_takes_the_largest_area():
    fine = np.array([[10, 10, 80], [10, 80, 80], [50, 50, 80]], np.uint8)
    # Quarters of 1.5 x 1.5 pixels: the upper left holds 1 + 0.5 + 0.5 of 10 and 0.25 of 80.
    np.testing.assert_array_equal(aggregate_cover(fine, (2, 2)), [[10, 80], [50, 80]])
    np.testing.assert_array_equal(aggregate_cover(fine, (3, 3)), fine)


def test_aggregation_heeds_the_offset():
    fine = np.tile(np.array([10, 10, 80, 80], np.uint8), (4, 1))
    np.testing.assert_array_equal(aggregate_cover(fine, (2, 2))[0], [10, 80])
    np.testing.assert_array_equal(aggregate_cover(fine, (2, 2), (0, 1.5))[0], [80, 80])


def test_materials_follow_season_and_refuse_what_they_do_not_know(place):
    lush, dry = (draw_materials(np.random.default_rng(1), place, g) for g in (0.95, 0.05))
    green = (Material.GREEN_GRASS, Material.LUSH_CROP, Material.CANOPY)
    assert np.isin(lush, green).mean() > np.isin(dry, green).mean() + 0.2
    with pytest.raises(ValueError, match=r"greenness: .*0 to 1, found 2"):
        draw_materials(np.random.default_rng(1), place, 2)
    snow = type(place)(
        np.full_like(place.cover, 70), place.parcels, place.along, place.across, 3.0
    )
    with pytest.raises(ValueError, match=r"codes \[70\]; expected .*\[\d+, "):
        draw_materials(np.random.default_rng(1), snow, 0.5)
