"""What is looked at before a run starts."""

import re

import numpy as np
import pytest
import rasterio
from affine import Affine
from mmseg.registry import DATASETS

from mmcloudseg.datasets.content_checks import check_contents
from mmcloudseg.datasets.names import built_datasets

RANGES = dict(optical=dict(low=[0] * 4, high=[10000] * 4), sar=dict(low=[-25, -32.5], high=[0, 0]))
RNG = np.random.default_rng(0)
PREFIX = dict(img_path="optical", sar_path="sar", seg_map_path="labels", cloud_mask_path="masks")


@pytest.fixture
def folder(write_raster, tmp_path):
    for name in "abc":
        optical = RNG.integers(300, 4000, (4, 30, 30)).astype(np.float32)
        write_raster(tmp_path / f"optical/{name}.tif", optical)
        write_raster(tmp_path / f"sar/{name}.tif", RNG.uniform(-20, -9, (2, 30, 30)))
        write_raster(tmp_path / f"labels/{name}.tif", RNG.integers(0, 2, (30, 30), np.uint8))
        write_raster(tmp_path / f"masks/{name}.tif", RNG.integers(0, 2, (30, 30), np.uint8))
    return tmp_path


def report(folder, **kwargs):
    modalities = ["optical", "sar"]
    settings = dict(
        type="OpticalSARDataset",
        data_root=str(folder),
        data_prefix=PREFIX,
        metainfo=dict(classes=("land", "water")),
        pipeline=[
            dict(type="LoadRasters", modalities=modalities),
            dict(type="PackCloudSegInputs"),
        ],
    )
    return check_contents(DATASETS.build({**settings, **kwargs}), RANGES)


def test_good_data(folder):
    found = report(folder)
    assert found.problems == found.warnings == []


@pytest.mark.parametrize(
    ("kind", "change", "named"),
    [
        ("sar", lambda db: 10 ** (db / 10), "linear"),
        ("sar", lambda db: 100 * db, "dB x 100"),
        ("optical", lambda x: x / 10000, "reflectance from 0 to 1"),
        ("optical", lambda x: (x / 16).astype(np.uint8), "8-bit"),
        ("masks", lambda x: x * 4, "cloud_mask_codes"),
        ("labels", lambda x: x + 7, "label_codes"),
        ("sar", lambda db: db * np.nan, "allow_missing=['sar']"),
    ],
)
def test_what_stops_a_run(folder, edit_raster, kind, change, named):
    for name in "abc":
        edit_raster(folder / f"{kind}/{name}.tif", change)
    found = report(folder)
    assert found.problems and all(named in problem for problem in found.problems)
    assert f"{kind}/a.tif" in found.problems[0]


def test_one_odd_image_of_many_is_warned_of(folder, edit_raster):
    edit_raster(folder / "optical/b.tif", lambda x: x / 10000)
    found = report(folder)
    assert found.problems == []
    assert "optical/b.tif" in found.warnings[0] and "1 of 3 samples" in found.warnings[0]


def test_complex_sar_is_refused_when_the_dataset_is_built(folder, edit_raster):
    edit_raster(folder / "sar/b.tif", lambda db: (db + 1j).astype(np.complex64))
    with pytest.raises(ValueError, match=r"sar/b\.tif: .*complex64.*amplitude"):
        report(folder)


def test_other_ground(folder, edit_raster):
    edit_raster(folder / "sar/b.tif", transform=Affine(6, 0, 760299, 0, -6, 1898412))
    with pytest.warns(UserWarning, match=r"sar/b\.tif"):
        found = report(folder)
    assert "sar/b.tif: its corners lie up to 90 east-west" in found.problems[0]


@pytest.mark.parametrize(("part", "baseline"), [("_N0509", "05.09"), ("", "04.00")])
def test_a_sentinel_2_product_without_a_word_about_its_offset(folder, edit_raster, part, baseline):
    name = f"S2A_MSIL2A_20230610T103629{part}_R008_T32UNE_20230610T165900"
    for kind in PREFIX.values():
        for old in "bc":
            (folder / kind / f"{old}.tif").unlink()
        (folder / kind / "a.tif").rename(folder / kind / f"{name}.tif")
    edit_raster(folder / f"optical/{name}.tif", lambda x: x.astype(np.uint16))
    (problem,) = report(folder).problems
    assert baseline in problem and "offset=-1000" in problem
    for offset in (0, -1000):
        assert report(folder, radiometry=dict(optical=dict(offset=offset))).problems == []


def test_allowed_gaps_are_no_problem(folder, edit_raster):
    edit_raster(folder / "sar/b.tif", lambda db: db * np.nan)
    assert report(folder, allow_missing=["sar"]).problems == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (dict(label_codes={0: 255, 1: 255}), r"labels/a\.tif: no pixel .*label_codes"),
        (dict(metainfo={}), "metainfo names no classes"),
        (
            dict(data_prefix={k: v for k, v in PREFIX.items() if k != "seg_map_path"}),
            "3 of 3 .* no label: .*seg_map_path",
        ),
        (
            dict(clouds="simulated", data_prefix=dict(PREFIX, cloud_free_path="optical")),
            "clouds='simulated', but no SimulateClouds",
        ),
    ],
)
def test_settings_with_which_nothing_can_be_learned(folder, change, named):
    problems = report(folder, **change).problems
    assert len(problems) == 1 and re.search(named, problems[0]), problems


def test_ranges_of_another_number_of_bands(folder):
    pipeline = [dict(type="LoadRasters", modalities=["optical"], bands=dict(optical=[1, 2]))]
    found = report(folder, pipeline=[*pipeline, dict(type="PackCloudSegInputs")])
    assert "2 bands are read" in found.problems[0] and "ranges for 4" in found.problems[0]


def test_masks_of_one_kind_and_names_that_are_not_understood(folder, edit_raster):
    for name in "abc":
        edit_raster(folder / f"masks/{name}.tif", lambda x: x * 0)
        with rasterio.open(folder / f"optical/{name}.tif", "r+") as file:
            file.descriptions = ("blau", "gruen", "rot", "nah")
    bands = dict(optical=["blue", "green", "red", "nir"], sar=["VV", "VH"])
    found = report(folder, metainfo=dict(classes=("land", "water"), bands=bands))
    assert found.problems == []
    assert any("blau" in text and "3 of 3" in text for text in found.warnings)
    assert any("3 cloud masks" in text and "are clear" in text for text in found.warnings)


def test_zeros_in_decibels_are_told(folder, edit_raster):
    def with_border(db):
        db[:, :4] = 0
        return db

    for name in "abc":
        edit_raster(folder / f"sar/{name}.tif", with_border)
    (text,) = report(folder).warnings
    assert "0 (13.3%)" in text and "nodata" in text


def test_warped_files_of_another_place(folder, edit_raster):
    edit_raster(folder / "sar/b.tif", transform=Affine(3, 0, 760299 + 3000, 0, -3, 1898412))
    with pytest.warns(UserWarning, match=r"sar/b\.tif: does not overlap"):
        problems = report(folder, align="warp").problems
    assert "sar/b.tif: does not overlap" in problems[0]


def test_wrapped_datasets_are_found():
    class Wrapper:
        def __init__(self, **inner):
            vars(self).update(inner)

    inner = [object(), object()]
    nested = Wrapper(dataset=Wrapper(datasets=[inner[0], Wrapper(dataset=inner[1])]))
    assert list(built_datasets(nested)) == inner
