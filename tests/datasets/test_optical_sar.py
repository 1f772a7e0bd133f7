from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from mmengine.config import ConfigDict
from mmseg.registry import DATASETS

from mmcloudseg.datasets.header_checks import evenly_spaced
from mmcloudseg.utils.errors import DataError

LOADING = [
    dict(type="LoadRasters", modalities=("optical", "sar")),
    dict(type="PackCloudSegInputs"),
]
METAINFO = dict(
    classes=("land", "water"), bands=dict(optical=["red", "green", "blue"], sar=["VV"])
)


@pytest.fixture
def folder(tmp_path, write_raster):
    """Optical (3 bands) and SAR (1 band) images and labels with the same names."""
    rng = np.random.default_rng(0)
    for name in ("north/a", "north/b", "c"):
        write_raster(
            tmp_path / f"optical/{name}_rgb.tif", rng.integers(1, 255, (3, 20, 24), np.uint8)
        )
        write_raster(tmp_path / f"sar/{name}_vv.tif", rng.normal(size=(20, 24)).astype(np.float32))
        write_raster(tmp_path / f"label/{name}.tif", rng.integers(0, 2, (20, 24), np.uint8))
    return tmp_path


def build(folder, **kwargs):
    settings = dict(
        data_root=str(folder),
        data_prefix=dict(img_path="optical", sar_path="sar", seg_map_path="label"),
        img_suffix="_rgb.tif",
        sar_suffix="_vv.tif",
        metainfo=METAINFO,
        pipeline=LOADING,
    )
    return DATASETS.build(dict(type="OpticalSARDataset", **{**settings, **kwargs}))


def names(dataset):
    return [dataset.get_data_info(index)["sample_name"] for index in range(len(dataset))]


def test_folders(folder):
    dataset = build(folder)
    assert names(dataset) == ["c", "north_a", "north_b"]
    info = dataset.get_data_info(1)
    assert info["area"] == info["sample_name"] == "north_a"
    assert info["sar_path"] == f"{folder}/sar/north/a_vv.tif"
    assert info["seg_map_path"] == f"{folder}/label/north/a.tif"
    assert "cloud_free_path" not in info and "cloud_mask_path" not in info
    packed = dataset[1]
    assert packed["inputs"].shape == (4, 20, 24)
    assert set(packed["data_samples"].gt_sem_seg.data.unique().tolist()) == {0, 1}
    assert "gt_cloud_mask" not in packed["data_samples"]


def test_list_of_names(folder):
    (folder / "val.txt").write_text("north/b\n\nc\n")
    assert names(build(folder, ann_file="val.txt")) == ["north_b", "c"]


def test_csv_list_with_a_first_row(folder):
    rows = ["seg_map_path,img_path", "label/c.tif,optical/c_rgb.tif"]
    (folder / "list.csv").write_text("\n".join(rows))
    dataset = build(
        folder,
        ann_file="list.csv",
        data_prefix=dict(img_path=""),
        pipeline=[dict(type="LoadRasters", modalities=("optical",))],
    )
    info = dataset.get_data_info(0)
    assert (info["img_path"], info["seg_map_path"]) == (
        f"{folder}/optical/c_rgb.tif", f"{folder}/label/c.tif",
    )  # fmt: skip
    assert "sar_path" not in info
    assert dataset[0]["img"].shape == (20, 24, 3)


def test_csv_columns_relative_to_their_folders(folder):
    (folder / "list.csv").write_text("c_rgb.tif,c_vv.tif\n")
    dataset = build(
        folder,
        ann_file="list.csv",
        csv_columns=("img_path", "sar_path"),
        data_prefix=dict(img_path="optical", sar_path="sar"),
    )
    assert dataset.get_data_info(0)["sar_path"] == f"{folder}/sar/c_vv.tif"


def test_csv_without_names_of_columns(folder):
    (folder / "list.csv").write_text("c_rgb.tif,c_vv.tif\n")
    with pytest.raises(DataError, match=r"list\.csv: expected a first row.*csv_columns"):
        build(folder, ann_file="list.csv")


def test_clear_images_that_are_not_there(folder):
    with pytest.raises(DataError, match=r"c_rgb\.tif: optical='cloud_free' needs.*data_prefix"):
        build(folder, optical="cloud_free")


def test_label_codes_and_label_scale(folder, write_raster):
    for name in ("north/a", "north/b", "c"):
        label = np.full((10, 12), 40, np.uint8)
        coarse = Affine(6, 0, 760299, 0, -6, 1898412)
        write_raster(folder / f"label/{name}.tif", label, transform=coarse)
    dataset = build(folder, label_codes={40: 1, 0: 255}, label_scale=0.5)
    assert dataset.label_scale == 0.5
    sample = dataset[0]["data_samples"]
    assert sample.ori_shape == (10, 12)
    assert sample.gt_sem_seg.data.shape == (1, 10, 12)
    assert sample.gt_sem_seg.data.unique().tolist() == [1]


def test_optical_without_sar_names_both(folder):
    (folder / "sar/north/a_vv.tif").unlink()
    with pytest.raises(DataError) as error:
        build(folder)
    assert "sar/north/a_vv.tif of " in str(error.value)
    assert "optical/north/a_rgb.tif" in str(error.value)


def test_sar_without_optical_names_both(folder):
    (folder / "optical/north/a_rgb.tif").unlink()
    with pytest.raises(DataError) as error:
        build(folder)
    assert "sar/north/a_vv.tif without" in str(error.value)
    assert "optical/north/a_rgb.tif" in str(error.value)
    assert str(error.value).startswith(f"{folder}/sar: ") and "ann_file" in str(error.value)


def test_missing_root_and_folders(folder):
    with pytest.raises(DataError, match=r"does not exist.*--data-root PATH"):
        build(folder / "elsewhere")
    with pytest.raises(DataError, match=r"sar_path: .*radar[\s\S]*Correct data_prefix"):
        build(folder, data_prefix=dict(img_path="optical", sar_path="radar"))
    with pytest.raises(DataError, match=r"no samples.*img_suffix='\.png'"):
        build(folder, img_suffix=".png", data_prefix=dict(img_path="optical"))


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        (dict(data_prefix=dict(sar_path="sar")), r"data_prefix .*img_path.*found \['sar_path'\]"),
        (dict(data_prefix=dict(img_path="optical", radar="sar")), "data_prefix .*found .*radar"),
        (dict(label_scale=-2.0), r"label_scale .*above 0; .*-2\.0"),
        (dict(sar_scale=0), r"sar_scale .*above 0; .*0"),
        (dict(align="gdal"), r"align .*'warp'.*'gdal'"),
        (dict(nodata=dict(radar=0)), r"nodata: .*\['radar'\].*'sar'"),
        (dict(radiometry=dict(sar=dict(unit="watt"))), r"radiometry sar: .*linear.*'watt'"),
        (dict(radiometry=dict(optical=dict(gain=2))), r"radiometry optical: .*gain.*scale"),
        (dict(optical="clear"), "optical must be .*'clear'"),
        (dict(clouds="drawn"), "clouds must be .*'drawn'"),
        (dict(reduce_zero_label=True), "reduce_zero_label .*label_codes="),
    ],
)
def test_config_errors(folder, kwargs, match):
    with pytest.raises(ValueError, match=match):
        build(folder, **kwargs)


def test_a_misspelled_key_is_refused(folder):
    with pytest.raises(TypeError, match="sar_sufix"):
        build(folder, sar_sufix=".tif")


def test_band_count(folder, edit_raster):
    edit_raster(folder / "optical/c_rgb.tif", lambda pixels: pixels[:2])
    with pytest.raises(DataError, match=r"c_rgb\.tif: has 2 bands, expected 3[\s\S]*metainfo"):
        build(folder)


def test_band_count_without_metainfo_is_the_first_samples(folder, edit_raster):
    edit_raster(folder / "sar/north/b_vv.tif", lambda pixels: np.repeat(pixels, 2, axis=0))
    with pytest.raises(DataError, match=r"b_vv\.tif: has 2 bands, expected 1[\s\S]*metainfo"):
        build(folder, metainfo=dict(classes=("land", "water")))


@pytest.mark.parametrize(
    ("file", "size"), [("sar/c_vv.tif", "20 x 23"), ("label/c.tif", "20 x 23")]
)
def test_sizes(folder, edit_raster, file, size):
    edit_raster(folder / file, lambda pixels: pixels[:, :, 1:])
    with pytest.raises(
        DataError, match=rf"{Path(file).name}: has {size} pixels, expected 20 x 24"
    ):
        build(folder, sar_scale=1.0)


def test_reference_system(folder, edit_raster):
    edit_raster(folder / "sar/c_vv.tif", crs="EPSG:32647")
    with pytest.raises(
        DataError, match=r"c_vv\.tif: is in EPSG:32647, but .*c_rgb\.tif in EPSG:32646"
    ):
        build(folder)


@pytest.mark.parametrize(("shift", "accepted"), [(1.4, True), (1.6, False)])
def test_origins_within_half_a_label_pixel(folder, edit_raster, shift, accepted):
    edit_raster(folder / "label/c.tif", transform=Affine(3, 0, 760299, 0, -3, 1898412 + shift))
    if accepted:
        assert len(build(folder)) == 3
        return
    with pytest.warns(UserWarning, match=r"label/c\.tif: .* 0 east-west and 1\.6 .*align='warp'"):
        dataset = build(folder)
    with pytest.raises(DataError, match=r"label/c\.tif: .* 1\.6 north-south.* 1\.5 and 1\.5"):
        dataset[0]


def test_truncated_file_is_found_before_training(folder):
    path = folder / "sar/north/a_vv.tif"
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(DataError, match=r"a_vv\.tif: cannot be read[\s\S]*download it again"):
        build(folder)
    assert len(build(folder, num_header_checks=0)) == 3


def test_all_problems_of_a_check_are_in_one_message(folder, edit_raster):
    for name in ("north/a", "north/b", "c"):
        edit_raster(folder / f"sar/{name}_vv.tif", crs="EPSG:32647")
        edit_raster(folder / f"label/{name}.tif", lambda pixels: pixels[:, 1:])
    with pytest.raises(DataError, match=r"\(6 in all\)[\s\S]*and 1 more"):
        build(folder)


def test_headers_are_checked_evenly_spaced():
    assert list(evenly_spaced(10, 4)) == [0, 2, 5, 7]
    assert list(evenly_spaced(3, 256)) == [0, 1, 2]
    assert list(evenly_spaced(10, 0)) == []


def test_metainfo_is_plain(folder):
    metainfo = dict(
        classes=("land", "water"),
        palette=np.array([[0, 100, 0], [0, 0, 200]]),
        bands=ConfigDict(optical=["red", "green", "blue"], sar=["VV"]),
        folder=Path("a/b"),
    )
    found = build(folder, metainfo=metainfo).metainfo
    assert found["palette"] == [[0, 100, 0], [0, 0, 200]] and found["folder"] == "a/b"
    assert type(found["bands"]) is dict
