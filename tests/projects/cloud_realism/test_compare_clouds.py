"""The comparison of real and simulated clouds, run as a user runs it."""

import functools
import json
import shutil

import numpy as np
import pytest
import rasterio
from PIL import Image

from mmcloudseg.clouds import CLOUD_KINDS

FILES = ["clouds.json", "clouds.md", "clouds.png"]
CONFIG = """
test_dataloader = dict(dataset=dict(
    type='OpticalSARDataset', data_root={root!r},
    data_prefix={prefix!r},
    metainfo=dict(classes=('land',), palette=[[0, 0, 0]], bands=dict(optical={bands!r})),
    pipeline=[]))
"""
PREFIX = dict(img_path="cloudy", cloud_free_path="clear", cloud_mask_path="mask")


@pytest.fixture
def compare(run_tool):
    """``compare(*arguments)``: exit code, standard output and standard error of the tool."""
    return functools.partial(run_tool, "projects/cloud_realism/compare_clouds.py")


@pytest.fixture
def own_data(tmp_path):
    """A uint8 set without reference system: a clear ramp, its left half under white cloud."""
    clear = np.tile(np.arange(40, 104, dtype=np.uint8), (64, 1))[None].repeat(3, axis=0)
    mask = np.zeros((64, 64), np.uint8)
    mask[:, :32] = 1
    images = dict(clear=clear, cloudy=np.where(mask, np.uint8(250), clear), mask=mask[None])
    for name, image in images.items():
        (tmp_path / "own" / name).mkdir(parents=True)
        with rasterio.open(
            tmp_path / "own" / name / "a.tif",
            "w",
            driver="GTiff",
            count=len(image),
            height=64,
            width=64,
            dtype="uint8",
        ) as target:
            target.write(image)
    return tmp_path / "own"


def write_config(folder, root, prefix=PREFIX, bands=("red", "green", "blue")):
    path = folder / "config.py"
    path.write_text(CONFIG.format(root=str(root), prefix=prefix, bands=bands))
    return path


def read(out):
    assert sorted(path.name for path in out.iterdir()) == FILES
    with Image.open(out / "clouds.png") as picture:
        assert picture.mode == "RGB" and min(picture.size) > 400
        assert len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) > 1000
    return json.loads((out / "clouds.json").read_text()), (out / "clouds.md").read_text()


def test_compares_a_folder(compare, mini, tmp_path):
    out = tmp_path / "parent" / "clouds"
    status, printed, shown = compare(
        mini, "--out", out, "--draws", 3, "--samples", 4, "--kinds", "thick", "default"
    )
    assert status == 0, shown
    # Of each of four samples the real image and two series of three draws.
    assert "28/28" in shown
    report, table = read(out)
    assert list(report["summary"]["cover"]) == ["real", "thick", "default"]
    assert 3 <= len(report["samples"]) + len(report["skipped"]) == 4
    for sample in report["samples"]:
        real, thick = sample["real"], sample["simulated"]["thick"]
        assert sample["gsd_m"] == 3
        assert len(thick["contrast/blue"]) == 3 and len(thick["curves"]) == 3
        # Cover is the real image's, to a few pixels.
        assert thick["cover"] == pytest.approx([real["cover"]] * 3, abs=0.01)
        # Another seed, another sky.
        assert len(set(thick["autocorrelation_m"])) == 3
        below = sum(value < real["contrast/nir"] for value in thick["contrast/nir"])
        assert thick["percentile"]["contrast/nir"] == pytest.approx(100 * below / 3, abs=1e-6)
    thick = [s["simulated"]["thick"]["spectral_slope"] for s in report["samples"]]
    row = report["summary"]["spectral_slope"]["thick"]
    assert row["mean"] == pytest.approx(np.mean(thick))
    assert row["n"] == 3 * len(report["samples"])
    assert f"{row['mean']:.3f} ± {row['std']:.3f} [{row['percentile']:.0f}]" in table
    assert table.split("| statistic")[1].splitlines()[5] in printed
    assert f"{len(report['samples'])} real images; 3 simulated" in table


def test_real_masks_are_taken_over(compare, mini, tmp_path):
    status, _, shown = compare(
        mini, "--out", tmp_path, "--draws", 2, "--samples", 2, "--kinds", "mixed", "--real-masks"
    )
    assert status == 0, shown
    report, _ = read(tmp_path)
    for sample in report["samples"]:
        masked = sample["simulated"]["mixed, real mask"]
        for name in ("cover", "patches_per_km2", "patch_diameter_50_m"):
            assert masked[name] == pytest.approx([sample["real"][name]] * 2), name


def test_all_kinds(compare, mini, tmp_path):
    status, printed, shown = compare(
        mini, "--out", tmp_path, "--draws", 1, "--samples", 1, "--kinds", "all"
    )
    assert status == 0, shown
    titles = [cell.strip() for cell in printed.splitlines()[0].strip("|").split("|")]
    assert titles == ["statistic", "real", "default", *CLOUD_KINDS]


def test_radar_and_labels_are_not_needed(compare, mini, tmp_path):
    copy = shutil.copytree(mini, tmp_path / "set")
    for path in [*copy.rglob("S1_*.tif"), *copy.rglob("landcover_*.tif")]:
        path.unlink()
    status, _, shown = compare(copy, "--out", tmp_path / "out", "--draws", 1, "--samples", 1)
    assert status == 0, shown


def test_samples_that_cannot_be_measured_are_named(compare, mini, tmp_path):
    copy = shutil.copytree(mini, tmp_path / "set")
    masks = sorted((copy / "test").rglob("cloudmask_*.npy"))
    np.save(masks[0], np.zeros((300, 300), bool))
    for split in ("train", "val"):
        (copy / f"{split}.csv").unlink()
    status, _, shown = compare(copy, "--out", tmp_path / "out", "--draws", 1)
    assert status == 0, shown
    report, table = read(tmp_path / "out")
    assert len(report["samples"]) == 1 and len(report["skipped"]) == 1
    assert f"{masks[0].name}: has no cloudy pixel" in table
    np.save(masks[1], np.zeros((300, 300), bool))
    status, _, shown = compare(copy, "--out", tmp_path / "none", "--draws", 1)
    assert status == 1 and "no sample can be compared (2 in all)" in shown
    assert not (tmp_path / "none").exists()


def test_a_config_of_other_data(compare, own_data, tmp_path):
    config = write_config(tmp_path, own_data)
    arguments = ["--config", config, "--out", tmp_path / "out", "--draws", 2, "--kinds", "thick"]
    status, _, shown = compare(*arguments)
    assert status == 1 and "a.tif" in shown and "--gsd" in shown
    status, _, shown = compare(
        *arguments, "--gsd", 5, "--scale", 250, "--white", 245, 240, 235, "--samples", 9
    )
    assert status == 0, shown
    report, _ = read(tmp_path / "out")
    (sample,) = report["samples"]
    assert sample["gsd_m"] == 5
    real = sample["real"]
    assert real["cover"] == 0.5 and real["brightness_50/red"] == pytest.approx(1)
    # The ramp's left half is 40 to 71.
    assert real["contrast/blue"] == pytest.approx((250 - 55.5) / 250)
    assert real["haze/blue"] == 0 and real["std_ratio/green"] == 0
    # A half of 32 x 64 pixels of 5 m.
    assert real["patch_diameter_50_m"] == pytest.approx(2 * 5 * np.sqrt(32 * 64 / np.pi))
    thick = sample["simulated"]["thick"]
    # Clipped to uint8, which is 1.02 here.
    assert max(thick["brightness_99/red"]) <= 255 / 250
    assert max(thick["brightness_99/red"]) > max(thick["brightness_99/blue"]) > 0.3
    assert report["settings"]["white"] == [245, 240, 235]


def test_nothing_stands_in_for_what_is_missing(compare, own_data, tmp_path):
    for key, noun in (("cloud_free_path", "cloud-free image"), ("cloud_mask_path", "cloud mask")):
        prefix = {k: folder for k, folder in PREFIX.items() if k != key}
        config = write_config(tmp_path, own_data, prefix)
        status, _, shown = compare("--config", config, "--gsd", 5)
        assert status == 1
        assert f"samples without a {noun} (1 in all)" in shown and key in shown
    (own_data / "mask" / "a.tif").unlink()
    config = write_config(tmp_path, own_data)
    status, _, shown = compare("--config", config, "--gsd", 5)
    assert status == 1 and "missing files" in shown and "a.tif" in shown


def test_errors_name_the_remedy(compare, own_data, mini, tmp_path):
    config = write_config(tmp_path, own_data, bands=("B4", "green", "B2"))
    for arguments, message in (
        ([tmp_path / "nowhere"], "no such folder"),
        ([tmp_path], "expected M3M-CR's layout"),
        ([mini, "--kinds", "cirrus"], "['cirrus']"),
        ([mini, "--wavelengths", 0.5, 0.6], "expected the centres of the 4 bands blue, green"),
        (["--config", config, "--gsd", 5], "['B4', 'B2']"),
        (["--config", tmp_path / "none.py"], "does not exist"),
        ([], "required"),
        ([mini, "--draws", 0], "expected a whole number from 1, found 0"),
    ):
        status, printed, shown = compare(*arguments, "--out", tmp_path / "out")
        assert status in (1, 2) and message in shown, arguments
        assert printed == ""
    assert not (tmp_path / "out").exists()


def test_real_samples(compare, shared, tmp_path):
    status, printed, shown = compare(
        shared / "m3mcr_sample", "--out", tmp_path, "--draws", 3, "--real-masks"
    )
    assert status == 0, shown
    report, _ = read(tmp_path)
    names = [sample["name"] for sample in report["samples"]]
    assert names == ["fall_1_p_457", "summer_33_p_1"] and report["skipped"] == []
    fall, summer = (sample["real"] for sample in report["samples"])
    assert fall["cover"] == pytest.approx(0.484244, abs=1e-5)
    assert summer["brightness_95/nir"] == pytest.approx(0.64774, abs=1e-4)
    # The first image's ground is all under haze, and its crops are gone.
    assert fall["haze/blue"] == pytest.approx(0.1037, abs=1e-4) and fall["haze/nir"] < 0
    assert fall["texture_kept/nir"] is None and 0 < summer["texture_kept/nir"] < 1
    # No pixel of the first is further than 300 m from a cloud.
    assert fall["shadow/red"] is None and summer["shadow/red"] is not None
    assert all(-3.8 < real["spectral_slope"] < -2.8 for real in (fall, summer))
    assert "spectrum's slope" in printed
