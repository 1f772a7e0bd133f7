"""Files of the miniature LuojiaSET-OSFCR."""

import hashlib
import json

import numpy as np
import pytest
import rasterio

from mmcloudseg.procedural import write_mini_luojia
from mmcloudseg.procedural.mini_luojia import LUOJIA_BINS, draw_luojia_patch

KINDS = {
    "s1": "s1",
    "s2": "s2",
    "s2_cloudy": "s2_cloudy",
    "cloud_detection_results": "s2_cloudy",
    "land_cover_maps": "s2",
}


def digests(root):
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*.tif")
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("luojia") / "set"
    return root, write_mini_luojia(root, rois=2, patches_per_roi=2)


def test_folders_and_names_are_those_published(made):
    root, _ = made
    expected = {
        f"{cover_bin}/{folder}/ROIs_{roi}_{kind}_p{number}.tif"
        for roi, number, bins in (
            ("01", 1, ("0-20%", "40%-60%")),
            ("01", 2, ("20%-40%",)),
            ("02", 1, ("20%-40%", "60%-80%")),
            ("02", 2, ("40%-60%",)),
        )
        for cover_bin in bins
        for folder, kind in KINDS.items()
    }
    assert {str(path.relative_to(root)) for path in root.rglob("*.tif")} == expected
    assert {path.name for path in root.iterdir() if path.is_dir()} == set(LUOJIA_BINS)


def test_rasters_hold_the_patch(made):
    root, size = made
    for roi in range(2):
        patch = draw_luojia_patch(0, roi, 0)
        for view in patch.views:
            expected = {
                "s1": patch.backscatter_db,
                "s2": patch.clear,
                "s2_cloudy": view.image,
                "cloud_detection_results": view.mask[None].astype(np.uint8),
                "land_cover_maps": patch.land_cover[None],
            }
            for folder, pixels in expected.items():
                name = f"ROIs_{patch.roi}_{KINDS[folder]}_p1.tif"
                with rasterio.open(root / view.cover_bin / folder / name) as raster:
                    np.testing.assert_array_equal(raster.read(), pixels)
                    assert set(raster.dtypes) == {str(pixels.dtype)}
                    assert raster.crs.to_epsg() == patch.epsg and raster.res == (10, 10)
                    assert (raster.transform.c, raster.transform.f) == patch.origin
    assert size == sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    # 84 of them are the default set, which has to stay below 150 MB.
    assert size / 6 < 150e6 / 84


def test_same_seed_same_files_and_fewer_patches_are_a_prefix(made, tmp_path):
    root, _ = made
    write_mini_luojia(tmp_path / "again", rois=1, patches_per_roi=1, seed=0)
    write_mini_luojia(tmp_path / "other", rois=1, patches_per_roi=1, seed=1)
    first, again, other = (
        digests(path) for path in (root, tmp_path / "again", tmp_path / "other")
    )
    assert len(again) == 10 and again.items() <= first.items()
    assert all(other[name] != first[name] for name in other)
    recipe = json.loads((tmp_path / "other" / "mini_luojia-osfcr.json").read_text())
    assert recipe == {"seed": 1, "rois": 1, "patches_per_roi": 1}


def test_negative_numbers_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"from 0, .*'patches_per_roi': -2"):
        write_mini_luojia(tmp_path / "set", patches_per_roi=-2)
    assert list(tmp_path.iterdir()) == []
