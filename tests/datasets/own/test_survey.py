import numpy as np
import pytest
from own_files import write

from mmcloudseg.datasets.own import Stated, survey
from mmcloudseg.datasets.own.report import report
from mmcloudseg.utils.errors import DataError

KEYS = {"img_path", "sar_path", "seg_map_path"}


def paths(data, name):
    return dict(data.samples[name])


def test_a_folder_for_each_modality(make):
    root = make(clear="clear/{}.tif", mask="cloud_mask/{}.tif")
    data = survey(str(root))
    assert data.folders == dict(
        img_path="optical", sar_path="sar", cloud_free_path="clear",
        cloud_mask_path="cloud_mask", seg_map_path="labels",
    )  # fmt: skip
    assert len(data.samples) == 8 and data.cloud_free
    assert data.optical.unit.name == "reflectance_x10000"
    assert data.sar.unit.name == "db"
    assert (data.sar.unit.low, data.sar.unit.high) == ((-25, -32.5), (0, 0))
    assert data.legend.codes == {1: 0, 2: 1, 5: 2, 255: 255}
    assert data.mask_settings == {} and data.notes == []
    assert not data.grids.warp and data.grids.scales == {}
    assert "names of the classes" in data.legend.doubt


@pytest.mark.parametrize(
    ("optical", "sar", "label", "suffix"),
    [
        ("s2_cloudy/ROIs_{}_s2.tif", "s1/ROIs_{}_s1.tif", "lc/ROIs_{}_lc.tif", "_s2.tif"),
        ("{}_S2.tif", "{}_S1.tif", "{}_label.tif", "_S2.tif"),
        ("x/images/{}.tif", "x/radar/{}_vv.tif", "x/gt/{}.tif", ".tif"),
        ("{}/optical.tif", "{}/sar.tif", "{}/label.tif", "/optical.tif"),
        ("a/s2_x/{}_s2.tif", "a/s1_y/{}_s1.tif", "a/land_cover_maps/{}.tif", "_s2.tif"),
        ("optical/img_{}_x.tif", "sar/sentinel_{}.tif", "labels/ref_{}_v1.tif", ".tif"),
    ],
)
def test_layouts_are_paired(make, optical, sar, label, suffix):
    data = survey(str(make(optical=optical, sar=sar, label=label)))
    assert set(data.folders) == KEYS and len(data.samples) == 8
    assert data.suffixes["img_path"] == suffix
    for sample in data.samples.values():
        numbers = {path.partition("place_")[2][0] for path in sample.values()}
        assert len(numbers) == 1, sample


def test_images_next_to_cloudy_ones_are_clear(make):
    """SEN12MS-CR's names."""
    data = survey(str(make(optical="x_s2_cloudy/{}_s2_cloudy.tif", clear="x_s2/{}_s2.tif")))
    assert data.folders["img_path"] == "x_s2_cloudy" and data.folders["cloud_free_path"] == "x_s2"
    assert len(data.samples) == 8 and data.suffixes["img_path"] == "_s2_cloudy.tif"


def test_what_has_no_partner_is_left_out_and_said(make):
    root = make()
    (root / "sar/place_3.tif").unlink()
    (root / "labels/place_5.tif").unlink()
    data = survey(str(root))
    assert set(data.samples) == {f"place_{i}" for i in (0, 1, 2, 4, 6, 7)}
    assert any("2 optical image(s) unpaired: optical/place_3.tif" in note for note in data.notes)
    assert any("1 SAR image(s) unpaired: sar/place_5.tif" in note for note in data.notes)


def test_files_that_do_not_pair_are_refused(make):
    root = make()
    for index, path in enumerate(sorted((root / "sar").glob("*.tif"))):
        path.rename(path.with_name(f"{'abcdefgh'[index]}{index * 7}.tif"))
    with pytest.raises(DataError, match=r"(?s)only 0 of 8 .*sar/.*--without"):
        survey(str(root))


def test_modalities_without_names_are_told_by_their_values(make):
    data = survey(str(make(optical="a/{}.tif", sar="b/{}.tif")))
    assert data.folders == dict(img_path="a", sar_path="b", seg_map_path="labels")


@pytest.mark.parametrize(
    ("templates", "named"),
    [
        (dict(label="maps/{}.tif"), "--label DIR"),
        (dict(optical="t1/{}.tif", clear="t2/{}.tif"), "--optical DIR"),
        (dict(optical="sar/{}.tif", sar="optical/{}.tif"), "--optical DIR"),
        (dict(label=None), "--label DIR"),
    ],
)
def test_what_cannot_be_told_is_refused(make, templates, named):
    with pytest.raises(DataError, match=named):
        survey(str(make(**templates)))


def test_what_the_user_states_is_taken(make):
    root = make(optical="t1/{}.tif", clear="t2/{}.tif", label="maps/{}.tif")
    folders = dict(img_path="t1", cloud_free_path="t2", seg_map_path="maps")
    stated = Stated(folders=folders, classes=["a", "b", "c"], sar_bands=["VV", "VH"])
    data = survey(str(root), stated)
    assert data.folders == dict(folders, sar_path="sar")
    assert data.legend.classes == ("a", "b", "c") and not data.legend.doubt
    assert data.sar.names == ("VV", "VH")


def test_a_stray_folder_is_left_out_and_said(make):
    root = make()
    write(root / "elevation/dem.tif", np.ones((8, 8), np.float32))
    data = survey(str(root))
    assert len(data.samples) == 8
    assert any("elevation/dem.tif" in note for note in data.notes)


def test_a_modality_is_left_out_on_demand(make):
    root = make(clear="clear/{}.tif")
    data = survey(str(root), Stated(without=["cloud_free_path"]))
    assert set(data.folders) == KEYS and not data.cloud_free
    assert any("no cloud-free images" in line for line in report(data))


def test_two_files_of_one_name_are_refused(make):
    root = make()
    write(root / "optical/place_1_rgb.tif", np.zeros((4, 64, 64), np.uint16))
    with pytest.raises(DataError, match=r"place_1(_rgb)?\.tif and optical/place_1.*--optical"):
        survey(str(root))


def test_the_report_says_what_was_found(make):
    text = "\n".join(report(survey(str(make(mask="clouds/{}.tif")))))
    for part in (
        "8 samples", "optical images: 8 files optical/*.tif", "reflectance_x10000",
        "128 x 128, pixels of 10, EPSG:32650", "1 33", "to confirm: names of the classes",
        "train 6, val 1, test 1", "taken as: 0 clear, 1 cloud",
    ):  # fmt: skip
        assert part in text, part
