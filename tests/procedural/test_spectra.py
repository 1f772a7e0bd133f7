"""Clear optical images."""

import numpy as np
import pytest

from mmcloudseg.procedural.landscape import draw_landscape
from mmcloudseg.procedural.materials import Material, draw_materials
from mmcloudseg.procedural.spectra import material_reflectance, render_reflectance, to_counts
from mmcloudseg.rasters.sensors import PLANETSCOPE_UM

SHARES = {10: 0.2, 30: 0.15, 40: 0.25, 50: 0.15, 60: 0.1, 80: 0.15}


@pytest.fixture(scope="module")
def scene():
    rng = np.random.default_rng(0)
    place = draw_landscape(rng, (220, 220), 3.0, SHARES)
    materials = draw_materials(rng, place, 0.6)
    return place, materials, render_reflectance(rng, place, materials)


def test_classes_look_as_they_should(scene):
    place, _, image = scene
    blue, green, red, nir = image
    ndvi = (nir - red) / (nir + red)
    mean = {code: ndvi[place.cover == code].mean() for code in (10, 40, 50, 60, 80)}
    assert mean[80] < 0 < mean[60] < mean[50] + 0.2
    assert mean[10] > 0.6 > mean[60] + 0.2
    assert nir[place.cover == 80].mean() < 0.06
    assert (0 < blue.mean() < green.mean() < 0.12) and nir.mean() > 0.15


def test_classes_overlap_and_towns_are_rough(scene):
    place, _, image = scene
    red = image[2]
    crops, grass = red[place.cover == 40], red[np.isin(place.cover, (20, 30))]
    low, high = np.percentile(grass, [5, 95])
    assert ((crops > low) & (crops < high)).mean() > 0.3
    roughness = np.abs(np.diff(red, axis=1))
    cover = place.cover[:, 1:]
    assert roughness[cover == 50].mean() > 2 * roughness[cover == 40].mean()


def test_table_interpolates_between_its_nodes():
    table = material_reflectance([0.49, 0.61, 0.865])
    assert table.shape == (len(Material), 3)
    assert table[Material.CANOPY, 0] == pytest.approx(0.022)
    between = 0.048 + (0.61 - 0.56) / (0.665 - 0.56) * (0.030 - 0.048)
    assert table[Material.CANOPY, 1] == pytest.approx(between)
    with pytest.raises(ValueError, match=r"wavelengths_um: .*0\.44 to 2\.2.*\[0\.3\]"):
        material_reflectance([0.3])


def test_bands_and_gains_are_free(scene):
    place, materials, _ = scene
    bands = (0.49, 0.56, 0.665, 0.71, 0.865, 1.61)
    plain = render_reflectance(np.random.default_rng(2), place, materials, bands)
    bright = render_reflectance(
        np.random.default_rng(2), place, materials, bands, [1.0, 1.1, 1, 1, 1, 1]
    )
    assert plain.shape == (6, 220, 220)
    np.testing.assert_allclose(bright[1] / plain[1], 1.1)
    np.testing.assert_array_equal(bright[0], plain[0])
    default = render_reflectance(np.random.default_rng(2), place, materials)
    assert len(default) == len(PLANETSCOPE_UM)


def test_crowns_are_rougher_than_sown_fields(scene):
    place, materials, _ = scene

    def roughness(material):
        everywhere = np.full_like(materials, material)
        image = render_reflectance(np.random.default_rng(3), place, everywhere)
        return np.abs(np.diff(np.log(image[1]), axis=1))[place.cover[:, 1:] == 10].mean()

    assert roughness(Material.CANOPY) > 1.5 * roughness(Material.YOUNG_CROP)


def test_valid_pixels_never_take_the_nodata_value():
    counts = to_counts(np.array([0.0, 0.4, 1234.2, 90_000.0]))
    np.testing.assert_array_equal(counts, [1, 1, 1234, 65_535])
