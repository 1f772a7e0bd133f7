from fractions import Fraction

import numpy as np
import pytest
from own_files import CORNER, write

from mmcloudseg.datasets.own.grids import fit_grids
from mmcloudseg.utils.errors import DataError


@pytest.fixture
def sample(tmp_path):
    """``sample(label=(side, pixel, …), …)``: paths of optical 300 x 300 of 3 m and others."""

    def sample(**files):
        files = dict(img=(300, 3), sar=(300, 3), seg_map=(300, 3)) | files
        paths = {}
        for key, (side, pixel, *rest) in files.items():
            corner, crs = [*rest, *(CORNER, "EPSG:32650")[len(rest) :]]
            path = tmp_path / f"{key}.tif"
            write(path, np.ones((side, side), np.uint8), pixel, corner, crs)
            paths[f"{key}_path"] = str(path)
        return dict(a=paths)

    return sample


def test_one_grid(sample):
    grids = fit_grids(sample())
    assert not grids.warp and grids.scales == {} and grids.crop(256) == (256, 1)
    assert grids.smallest_side == 300


def test_coarser_labels_are_a_scale_and_crops_whole_label_pixels(sample):
    grids = fit_grids(sample(sar=(90, 10), seg_map=(90, 10)))
    assert not grids.warp and grids.scales == dict(label_scale=Fraction(3, 10))
    assert grids.crop(256) == grids.crop(100) == (160, 10)


def test_without_a_georeference_all_scales_are_stated(sample):
    bare = (CORNER, None)
    grids = fit_grids(
        sample(img=(300, 3, *bare), sar=(150, 6, *bare), seg_map=(100, 9, *bare),
               cloud_mask=(75, 12, *bare))
    )  # fmt: skip
    assert grids.scales == dict(
        label_scale=Fraction(1, 3), sar_scale=Fraction(1, 2), cloud_mask_scale=Fraction(1, 4)
    )
    assert any("without a reference system" in note for note in grids.notes)


def test_another_ground_asks_for_warping(sample):
    west = (CORNER[0] - 300, CORNER[1] + 300)
    grids = fit_grids(sample(sar=(80, 20, west), seg_map=(100, 30, west)))
    assert grids.warp and grids.scales == dict(label_scale=Fraction(1, 10))
    assert grids.notes == []


def test_another_reference_system_asks_for_warping(sample):
    degrees = 10 / 111_320
    grids = fit_grids(sample(seg_map=(150, degrees, (116.99, 36.16), "EPSG:4326")))
    assert grids.warp and 0.25 < grids.scales["label_scale"] < 0.4
    assert any("seg_map: does not cover" in note for note in grids.notes)


def test_files_that_neither_fit_nor_can_be_warped_are_refused(sample):
    with pytest.raises(DataError, match=r"sar\.tif.*gdal_edit"):
        fit_grids(sample(sar=(301, 3, CORNER, None)))


@pytest.mark.parametrize(
    ("side", "label", "wanted", "crop"),
    [(300, 100, 256, 192), (150, 50, 128, 129), (140, 140, 256, 128), (128, 128, 64, 128)],
)
def test_crops_are_of_sizes_that_networks_take(sample, side, label, wanted, crop):
    step = side // label
    grids = fit_grids(sample(img=(side, 3), sar=(side, 3), seg_map=(label, 3 * step)))
    assert grids.crop(wanted) == (crop, step)


def test_images_that_are_too_small_are_refused(sample):
    small = fit_grids(sample(img=(100, 3), sar=(100, 3), seg_map=(100, 3)))
    with pytest.raises(DataError, match=r"img\.tif: has 100 x 100 .* 128 x 128"):
        small.crop(256)
