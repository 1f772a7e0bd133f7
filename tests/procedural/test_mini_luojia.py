"""Patches of the miniature LuojiaSET-OSFCR."""

import numpy as np
import pytest

from mmcloudseg.procedural.mini_luojia import (
    LAND_COVER_CODES,
    LUOJIA_BINS,
    cover_bins,
    draw_luojia_patch,
)
from mmcloudseg.rasters.sensors import SENTINEL2_UM

B02, B04, B08, B09, B10, B11 = 1, 3, 7, 9, 10, 11
SHARP = [1, 2, 3, 7]


@pytest.fixture(scope="module")
def patches():
    return [draw_luojia_patch(0, roi, patch) for roi in (0, 3) for patch in range(6)]


def test_types_shapes_and_ranges(patches):
    for patch in patches:
        images = [patch.clear, *(view.image for view in patch.views)]
        for image in images:
            assert image.dtype == np.uint16 and image.shape == (13, 256, 256)
            assert image.min() >= 1 and image.max() < 16_000
        assert patch.backscatter_db.dtype == np.float32
        assert patch.backscatter_db.shape == (2, 256, 256)
        assert patch.backscatter_db.min() > -50 and patch.backscatter_db.max() < 30
        assert patch.land_cover.dtype == np.uint8 and patch.land_cover.max() <= 5


def test_cover_lies_in_the_bin_and_every_region_is_in_all_bins(patches):
    seen = {}
    for patch in patches:
        for view in patch.views:
            low = LUOJIA_BINS.index(view.cover_bin) / 5
            assert low < view.mask.mean() < low + 0.2
            seen.setdefault(patch.roi, []).append(view.cover_bin)
    assert set(seen) == {"01", "04"}
    assert all(set(bins) == set(LUOJIA_BINS) and len(bins) == 7 for bins in seen.values())


def test_the_first_patch_is_under_two_skies(patches):
    (one, other) = patches[0].views
    assert one.cover_bin != other.cover_bin
    assert (one.mask != other.mask).mean() > 0.1
    assert all(len(patch.views) == 1 for patch in patches[1:6])
    assert cover_bins(1, 0) == (1, 3) and cover_bins(1, 7) == (3,)


def test_clouds_are_where_the_mask_says(patches):
    for patch in patches:
        for view in patch.views:
            sharp = np.abs(view.image[SHARP].astype(int) - patch.clear[SHARP]).max(axis=0)
            assert (sharp[view.mask] > 0).mean() > 0.99
            clouded = view.image[B02].astype(int) - patch.clear[B02]
            assert clouded[view.mask].mean() > clouded[~view.mask].mean() + 200


def test_bands_have_the_spectra_of_land_and_water(patches):
    clear = np.concatenate([patch.clear.reshape(13, -1) for patch in patches], axis=1)
    label = np.concatenate([patch.land_cover.ravel() for patch in patches])
    forest, barren, water = (clear[:, label == code].mean(axis=1) for code in (0, 4, 5))
    assert len(SENTINEL2_UM) == 13
    assert forest[B08] > 2.5 * forest[B04]
    assert water[B08] < 0.6 * water[B04] and water[B11] < 0.5 * water[B04]
    assert barren[B11] > barren[B08] > barren[B04]
    # The sky is blue, and its vapour hides the ground.
    assert np.all(np.diff(water[:4]) < 0)
    for band, passed in ((B09, 0.5), (B10, 0.02)):
        assert clear[band].mean() == pytest.approx(passed * clear[8].mean(), rel=0.5)


def test_all_land_cover_occurs(patches):
    # Shrub counts as grass, wetland as water.
    assert LAND_COVER_CODES == {10: 0, 20: 1, 30: 1, 40: 2, 50: 3, 60: 4, 80: 5, 90: 5}
    label = np.stack([patch.land_cover for patch in patches])
    assert np.unique(label).tolist() == [0, 1, 2, 3, 4, 5]
    assert np.bincount(label.ravel()).min() > 0.02 * label.size


def test_coarse_bands_have_coarse_pixels(patches):
    for image in (patches[0].clear, patches[0].views[0].image):
        same = (image[:, :, 1:] == image[:, :, :-1]).mean(axis=(1, 2))
        assert same[SHARP].max() < 0.3
        np.testing.assert_array_equal(image[B11, ::2, ::2], image[B11, 1::2, 1::2])
        assert same[[0, 9]].min() > 0.8


def test_sar_tells_water_and_towns_apart(patches):
    backscatter = np.concatenate(
        [patch.backscatter_db.reshape(2, -1) for patch in patches], axis=1
    )
    label = np.concatenate([patch.land_cover.ravel() for patch in patches])
    for band in backscatter:
        water, fields, town = (band[label == code].mean() for code in (5, 2, 3))
        assert water + 5 < fields < town - 1
    assert backscatter[0].mean() > backscatter[1].mean() + 4


def test_patches_of_a_region_lie_side_by_side(patches):
    first, second, *_ = patches
    assert first.epsg == second.epsg and 32601 <= first.epsg <= 32660
    assert second.origin == (first.origin[0] + 2560, first.origin[1])
    corners = {draw_luojia_patch(0, 0, patch).origin for patch in (0, 7, 8, 9)}
    assert len(corners) == 4
    assert (first.roi, first.number, second.number) == ("01", 1, 2)
    assert patches[6].origin != first.origin


def test_same_arguments_same_pixels_and_nothing_else():
    def pixels(*arguments):
        patch = draw_luojia_patch(*arguments)
        view = patch.views[0]
        arrays = (patch.clear, view.image, view.mask, patch.backscatter_db, patch.land_cover)
        return [array.tobytes() for array in arrays]

    first = pixels(0, 1, 2)
    assert pixels(0, 1, 2) == first
    for other in ((1, 1, 2), (0, 2, 2), (0, 1, 3)):
        assert all(a != b for a, b in zip(pixels(*other), first, strict=True))


def test_negative_numbers_are_named():
    with pytest.raises(ValueError, match=r"from 0, .*roi=-1"):
        draw_luojia_patch(0, -1, 0)
