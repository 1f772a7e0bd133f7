"""Files of users: other grids, units, names and gaps."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from mmseg.registry import DATASETS

from mmcloudseg.utils.errors import DataError

NORTH, WEST = 4e6, 5e5
RNG = np.random.default_rng(0)
LOADING = [
    dict(type="LoadRasters", modalities=("optical", "sar")),
    dict(type="PackCloudSegInputs"),
]


def place(size, west=WEST, north=NORTH):
    return Affine(size, 0, west, 0, -size, north)


@pytest.fixture
def write(write_raster, tmp_path):
    def write_one(name, pixels, size=10.0, **kwargs):
        kwargs = dict(transform=place(size), crs="EPSG:32650") | kwargs
        write_raster(tmp_path / name, pixels, **kwargs)

    return write_one


@pytest.fixture
def folder(write, tmp_path):
    for name in "ab":
        write(f"optical/{name}.tif", RNG.integers(300, 4000, (4, 40, 40)).astype(np.uint16))
        write(f"sar/{name}.tif", RNG.uniform(-20, -3, (2, 40, 40)).astype(np.float32))
        write(f"labels/{name}.tif", RNG.integers(0, 2, (40, 40)).astype(np.uint8))
    return tmp_path


def build(folder, loading=None, **kwargs):
    prefix = dict(img_path="optical", sar_path="sar", seg_map_path="labels")
    settings = dict(
        data_root=str(folder),
        data_prefix=prefix | kwargs.pop("data_prefix", {}),
        metainfo=dict(classes=("land", "water")),
        pipeline=[dict(LOADING[0], **(loading or {})), LOADING[1]],
    )
    return DATASETS.build(dict(type="OpticalSARDataset", **{**settings, **kwargs}))


def test_coarser_mask_and_finer_label(folder, write):
    fine = np.kron(RNG.integers(0, 2, (40, 40)), np.ones((2, 2))).astype(np.uint8)
    mask = RNG.integers(0, 2, (10, 10)).astype(np.uint8)
    for name in "ab":
        write(f"labels/{name}.tif", fine, 5.0)
        write(f"masks/{name}.tif", mask, 40.0)
    dataset = build(folder, label_scale=2.0, data_prefix=dict(cloud_mask_path="masks"))
    assert dataset.label_scale == 1.0
    sample = dataset[0]["data_samples"]
    assert (sample.gt_sem_seg.data[0].numpy() == fine[::2, ::2]).all()
    expected = np.kron(mask, np.ones((4, 4)))
    assert (sample.gt_cloud_mask.data[0].numpy() == expected).all()


def test_warp_brings_everything_onto_the_optical_grid(folder, write):
    """SAR of 20 m that starts 100 m further west, in south-up order; labels of 30 m."""
    sar = RNG.uniform(-20, -3, (2, 30, 30)).astype(np.float32)
    codes = RNG.integers(0, 2, (20, 20)).astype(np.uint8)
    for name in "ab":
        turned = Affine(20, 0, WEST - 100, 0, 20, NORTH - 500)
        write(f"sar/{name}.tif", sar[:, ::-1], transform=turned)
        write(f"labels/{name}.tif", codes, transform=place(30, WEST - 30, NORTH + 30))
    with pytest.warns(UserWarning, match=r"a\.tif.* corners .*align='warp'"):
        plain = build(folder, label_scale=0.5)
    with pytest.raises(DataError, match=r"sar/a\.tif: .*align='warp'"):
        plain[0]
    packed = build(folder, align="warp", label_scale=1.0)[0]
    # The optical grid is 400 m wide: SAR's columns 5 to 24, rows 5 to 24 from the north.
    expected = np.kron(sar[:, 5:25, 5:25], np.ones((1, 2, 2), np.float32))
    assert np.allclose(packed["inputs"][4:], expected)
    label = packed["data_samples"].gt_sem_seg.data[0].numpy()
    rows = (np.arange(40) * 10 + 35) // 30
    assert (label == codes[rows[:, None], rows[None, :]]).all()


def test_units_and_bands_by_name(folder, write):
    optical = RNG.integers(300, 4000, (4, 40, 40)).astype(np.float32)
    power = RNG.uniform(0.01, 0.5, (2, 40, 40)).astype(np.float32)
    for name in "ab":
        write(f"optical/{name}.tif", optical / 10000)
        write(f"sar/{name}.tif", power)
    radiometry = dict(optical=dict(unit="reflectance"), sar=dict(unit="linear"))
    bands = dict(optical=["blue", "green", "red", "nir"], sar=["VV", "VH"])
    dataset = build(
        folder,
        dict(bands=dict(optical=["red", "blue"])),
        radiometry=radiometry,
        metainfo=dict(classes=("land", "water"), bands=bands),
    )
    inputs = dataset[0]["inputs"].numpy()
    assert np.allclose(inputs[:2], optical[[2, 0]], rtol=1e-5)
    assert np.allclose(inputs[2:], 10 * np.log10(power), rtol=1e-5)


def test_a_sample_without_sar(folder, write):
    rows = ["img_path,sar_path,seg_map_path", "a.tif,a.tif,a.tif", "b.tif,,b.tif"]
    (folder / "l.csv").write_text("\n".join(rows))
    packed = build(folder, ann_file="l.csv", allow_missing=["sar"])[1]
    assert packed["inputs"][4:].isnan().all() and not packed["inputs"][:4].isnan().any()
    with pytest.warns(UserWarning, match=r"b\.tif: has no sar_path; .*allow_missing=\['sar'\]"):
        build(folder, ann_file="l.csv")[1]
    (folder / "m.csv").write_text("img_path,sar_path\n,a.tif\n")
    with pytest.raises(DataError, match=r"m\.csv: [\s\S]*row 2: no img_path"):
        build(folder, ann_file="m.csv")
    write("sar/b.tif", np.full((2, 40, 40), np.nan, np.float32))
    assert build(folder, allow_missing=["sar"])[1]["inputs"][4:].isnan().all()


def test_labels_under_masked_pixels_are_ignored(folder, write):
    optical = RNG.uniform(300, 4000, (4, 40, 40)).astype(np.float32)
    optical[:, :7] = np.nan
    write("optical/a.tif", optical)
    label = build(folder)[0]["data_samples"].gt_sem_seg.data[0]
    assert (label[:7] == 255).all() and (label[7:] != 255).all()


def test_label_with_nan(folder, write):
    codes = RNG.integers(1, 3, (40, 40)).astype(np.float32)
    codes[:5] = np.nan
    write("labels/a.tif", codes, nodata=float("nan"))
    write("labels/b.tif", codes)
    for sample in build(folder, label_codes={"1": 0, "2": 1}):
        label = sample["data_samples"].gt_sem_seg.data[0].numpy()
        assert (label[:5] == 255).all() and (label[5:] == codes[5:] - 1).all()


def test_a_class_that_is_declared_as_nodata_is_said_aloud(folder, write):
    write("labels/a.tif", RNG.integers(0, 2, (40, 40)).astype(np.uint8), nodata=0)
    with pytest.warns(UserWarning, match=r"code 0 .*labels/a\.tif.*255"):
        label = build(folder, label_codes={0: 0, 1: 1})[0]["data_samples"].gt_sem_seg.data
    assert (label != 255).all()


def test_bands_in_another_order_than_the_first_file(folder):
    """Without names in the metainfo, those of the first file count."""
    for name, order in dict(a="blue green red nir", b="nir red green blue").items():
        with rasterio.open(folder / f"optical/{name}.tif", "r+") as file:
            file.descriptions = tuple(order.split())
    with rasterio.open(folder / "optical/b.tif") as file:
        stored = file.read()
    assert (build(folder)[1]["inputs"][:4].numpy() == stored[::-1]).all()


def test_an_optical_image_of_declared_zeros_is_missing_where_it_may_be(folder, write):
    write("optical/a.tif", np.zeros((4, 40, 40), np.uint16), nodata=0)
    assert (build(folder)[0]["inputs"][:4] == 0).all()
    packed = build(folder, allow_missing=["optical"])[0]
    assert packed["inputs"][:4].isnan().all()
    assert packed["data_samples"].modalities == "sar"


def test_letter_case_of_suffixes(folder, write):
    (folder / "sar/a.tif").rename(folder / "sar/a.TIF")
    (folder / "optical/b.tif").rename(folder / "optical/b.Tif")
    dataset = build(folder)
    assert len(dataset) == 2
    assert dataset.get_data_info(0)["sar_path"].endswith("a.TIF")
    assert [dataset.get_data_info(i)["sample_name"] for i in range(2)] == ["a", "b"]


def test_what_is_left_out_is_said(folder, write):
    write("optical/c.tiff", np.ones((4, 40, 40), np.uint16))
    with pytest.warns(UserWarning, match=r"left out 1 .*'\.tif': c\.tiff.*suffix"):
        assert len(build(folder)) == 2


def test_names_are_kept_apart(folder, write):
    for kind in ("optical", "sar", "labels"):
        (folder / kind / "x").mkdir()
        (folder / kind / "a.tif").rename(folder / kind / "x_b.tif")
        (folder / kind / "b.tif").rename(folder / kind / "x/b.tif")
    dataset = build(folder)
    names = [dataset.get_data_info(i)["sample_name"] for i in range(2)]
    assert len(set(names)) == 2 and "x_b" in names


def test_two_spellings_of_one_name_are_refused(folder, write):
    write("optical/a.TIF", np.ones((4, 40, 40), np.uint16))
    with pytest.raises(DataError, match=r"optical: a\.(tif|TIF) and a\.(tif|TIF) .*Rename"):
        build(folder)
