"""Backscatter: what it separates, what it doesn't, and its speckle."""

import numpy as np
import pytest

from mmcloudseg.procedural import draw_sample
from mmcloudseg.procedural.landscape import draw_landscape
from mmcloudseg.procedural.materials import draw_materials
from mmcloudseg.procedural.sar import render_backscatter, speckle


@pytest.fixture(scope="module")
def pixels():
    """Backscatter (VV, VH) of each main class over some samples."""
    samples = [draw_sample(0, "train", index) for index in range(6)]
    groups = {10: (10,), 30: (20, 30), 40: (40,), 50: (50,), 60: (60,), 80: (80,)}
    return {
        code: np.concatenate(
            [s.backscatter_db[:, np.isin(s.land_cover, members)] for s in samples], 1
        )
        for code, members in groups.items()
    }


def _auc(higher, lower):
    """Probability that a value of the first is above one of the second."""
    ordered = np.sort(lower)
    return float(np.searchsorted(ordered, higher).mean() / len(ordered))


def test_water_towns_and_forest_stand_out(pixels):
    for code in (10, 30, 40, 50, 60):
        assert _auc(pixels[code][0], pixels[80][0]) > 0.9, code
    for code in (30, 40, 60):
        assert _auc(pixels[50][0], pixels[code][0]) > 0.7, code
        assert _auc(pixels[10][1], pixels[code][1]) > 0.8, code


def test_open_land_looks_alike(pixels):
    for one, other in ((30, 40), (40, 60), (30, 60)):
        for band in (0, 1):
            assert 0.3 < _auc(pixels[one][band], pixels[other][band]) < 0.75, (one, other, band)


def test_speckle_is_multiplicative_with_the_looks_asked_for():
    for looks in (1, 4):
        drawn = speckle(np.random.default_rng(0), (300, 300), looks)
        assert drawn.mean() == pytest.approx(1, rel=0.05)
        assert drawn.var() == pytest.approx(1 / looks, rel=0.15)
        assert 0.5 < np.corrcoef(drawn[:, 1:].ravel(), drawn[:, :-1].ravel())[0, 1] < 0.75
    with pytest.raises(ValueError, match=r"looks: .*at least 1, found 0"):
        speckle(np.random.default_rng(0), (9, 9), 0)


def test_grid_bands_and_names_are_free():
    rng = np.random.default_rng(1)
    place = draw_landscape(rng, (90, 120), 5.0, {30: 0.5, 80: 0.5})
    materials = draw_materials(rng, place, 0.5)
    one = render_backscatter(rng, place, materials, (90, 120), polarisations=["VH"])
    assert one.shape == (1, 90, 120)
    assert -35 < one[0][place.cover == 80].mean() < one[0][place.cover == 30].mean() - 5
    with pytest.raises(ValueError, match=r"polarisations: .*\('VV', 'VH'\), found \['HH'\]"):
        render_backscatter(rng, place, materials, (9, 12), polarisations=["HH"])
