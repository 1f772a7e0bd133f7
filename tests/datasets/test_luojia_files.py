"""How LuojiaSET-OSFCR's files are found and paired."""

import re
import shutil

import pytest
from luojia_patches import build, infos, write_patch, write_patches

from mmcloudseg.datasets import LuojiaOSFCRDataset
from mmcloudseg.utils.errors import DataError


@pytest.fixture
def tree(tmp_path, write_raster):
    return write_patches(tmp_path / "set", write_raster)


@pytest.mark.parametrize("spelling", ["20-40%", "20%-40%", "20-40"])
def test_bins_in_any_spelling(tree, spelling):
    (tree / "20%-40%").rename(tree / spelling)
    for asked in ("20-40%", "20%-40%", "20-40"):
        dataset = build(tree, cover_bins=[asked, "20-40%"])
        assert len(dataset) == 4
        assert {info["cloud_cover_bin"] for info in infos(dataset)} == {"20-40%"}


def test_unknown_bins_and_folders_that_are_there_twice(tree):
    with pytest.raises(ValueError, match=r"cover_bins must be some of .*'80-100%'.*\['10-20%'\]"):
        build(tree, cover_bins=["10-20%"])
    shutil.copytree(tree / "0-20%", tree / "0%-20%")
    with pytest.raises(DataError, match=r"0-20%: expected one folder of 0-20%.*Move one"):
        build(tree)


@pytest.mark.parametrize("mask_type", ["s2_cloudy", "s2", "mask", "cloud_detection"])
def test_masks_are_found_by_region_and_number(tmp_path, write_raster, mask_type):
    for roi in ("1", "2", "11"):
        write_patch(tmp_path, write_raster, "0-20%", roi, 1, mask_type=mask_type)
    (info,) = infos(build(tmp_path, "val", cover_bins=["0-20%"]))
    roi = info["sample_name"].split("_")[1]
    assert info["cloud_mask_path"].endswith(f"ROIs_{roi}_{mask_type}_p1.tif")


def test_everything_that_is_missing_or_unpaired_is_named_at_once(tree):
    (tree / "0-20%" / "s1" / "ROIs_01_s1_p7.tif").unlink()
    (tree / "40%-60%" / "s2_cloudy" / "ROIs_02_s2_cloudy_p102.tif").unlink()
    shutil.rmtree(tree / "80%-100%")
    masks = tree / "60%-80%" / "cloud_detection_results"
    shutil.copy(masks / "ROIs_03_s2_cloudy_p103.tif", masks / "ROIs_03_s2_p103.tif")
    (masks / "overview.tif").write_text("")
    (masks / "ROIs_03_s2_cloudy_p103.tif.aux.xml").write_text("")
    with pytest.raises(DataError) as error:
        # The problems of all splits, so that validation does not find them hours later.
        build(tree, "val")
    message = str(error.value)
    assert f"{tree}: missing or unpaired (5 in all)" in message
    first, third = tree / "0-20%", tree / "40%-60%"
    for line in (
        f"SAR image {first}/s1/ROIs_01_*_p7.tif of {first}/s2_cloudy/ROIs_01_s2_cloudy_p7.tif: no",
        f"optical image {third}/s2_cloudy/ROIs_02_*_p102.tif of {third}/s1/ROIs_02_s1_p102.tif",
        f"{masks}/ROIs_03_s2_p103.tif",
        "is of the same patch as",
        f"{masks}/overview.tif: expected a name such as ROIs_03_cloud_detection_results_p1104.tif",
        f"folder of 80-100% cloud cover: none in {tree}",
    ):
        assert line in message
    assert "cover_bins" in message


def test_a_patch_without_one_kind_of_file_at_all(tree):
    shutil.rmtree(tree / "20%-40%" / "land_cover_maps")
    with pytest.raises(DataError, match=r"\(6 in all\)[\s\S]*label .*land_cover_maps/ROIs_01_\*"):
        build(tree)
    assert len(build(tree, cover_bins=["0-20%"])) == 4


def test_files_that_do_not_fit_are_named(tree, edit_raster):
    path = build(tree).get_data_info(0)["img_path"]
    edit_raster(path, lambda pixels: pixels[:12])
    with pytest.raises(DataError, match=rf"{re.escape(path)}: has 12 bands, expected 13"):
        build(tree)


def test_missing_data_root(tmp_path):
    with pytest.raises(DataError) as error:
        build(tmp_path / "absent")
    message = str(error.value)
    assert f"{str(tmp_path / 'absent')!r} does not exist" in message
    assert "https://github.com/RSIIPAC/LuojiaSET-OSFCR" in message
    assert "`python tools/make_mini_luojia.py data/mini_luojia-osfcr`" in message
    assert "--data-root PATH" in message


def test_a_name_of_another_form_is_refused(mini_luojia):
    dataset = LuojiaOSFCRDataset(data_root=str(mini_luojia), pipeline=[], lazy_init=True)
    with pytest.raises(DataError, match=r"scene\.tif.*ROIs_03_s2_cloudy_p1104\.tif"):
        dataset.sample_name("0-20%/s2_cloudy/scene.tif")
