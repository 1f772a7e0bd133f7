"""Conversion of a small published tree: what is written, and what interruptions do to it."""

import contextlib
import csv
import multiprocessing
import os
import random
import re
import shutil
import signal
import time

import numpy as np
import pytest
import rasterio

from mmcloudseg.clouds import CloudSettings, simulate_clouds
from mmcloudseg.datasets.conversion import ConversionSettings, convert, whu_tiles
from mmcloudseg.datasets.conversion.tile_folder import MODALITIES, pixel_checksum
from mmcloudseg.datasets.conversion.whu_tiles import tile_origins
from mmcloudseg.rasters.reading import raster_session
from mmcloudseg.utils import locks
from mmcloudseg.utils.errors import DataError

SPLITS = dict(
    train=("NH49E003015", "NH50E005001"),
    val=("NH49E001013", "NH49E002014"),
    test=("NH49E010020", "NI49E021011"),
)
CLOUDS = ("cloudy", "cloud_opacity", "cloud_mask")
FOLDERS = dict(optical="optical", sar="sar", label="lbl")
SIZE = 64
TILES = 4 * 5


def run(root, out, **kwargs):
    settings = dict(tile_sizes=(SIZE,), subset=True, jobs=1)
    return convert(root, out, ConversionSettings(**{**settings, **kwargs}))


def read(path):
    with raster_session(), rasterio.open(path) as source:
        assert source.crs is None and source.compression.value == "DEFLATE"
        return source.read()


def rows_of(folder):
    with open(folder / "manifest.csv", newline="") as file:
        return list(csv.DictReader(file))


def names_of(folder, split):
    return (folder / f"{split}.txt").read_text().split()


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def made(scenes, tmp_path_factory):
    """The tree, converted; not to be changed."""
    out = tmp_path_factory.mktemp("tiles")
    run(scenes, out)
    return out / str(SIZE)


def test_what_is_written(made):
    expected = {"whu_opt_sar.json", "manifest.csv", "train.txt", "val.txt", "test.txt"}
    for split, scenes in SPLITS.items():
        names = names_of(made, split)
        assert names == sorted(names) and len(names) == TILES * len(scenes)
        assert {name.split("_")[0] for name in names} == set(scenes)
        modalities = MODALITIES[:3] if split == "train" else MODALITIES
        expected |= {f"{modality}/{name}.tif" for modality in modalities for name in names}
    assert set(files_below(made)) == expected
    assert {path.name for path in made.iterdir()} == {
        *MODALITIES, *(name for name in expected if "/" not in name)
    }  # fmt: skip


def test_tiles_are_the_published_pixels(scenes, made):
    for scene in sum(SPLITS.values(), ()):
        for modality, folder in FOLDERS.items():
            with raster_session(), rasterio.open(scenes / folder / f"{scene}.tif") as source:
                whole = source.read()
            if modality == "label" and whole.shape[2] == 299:
                whole = np.pad(whole, ((0, 0), (0, 0), (0, 1)))
            for row in tile_origins(200, SIZE):
                for column in tile_origins(300, SIZE):
                    tile = read(made / modality / f"{scene}_r{row:04d}_c{column:04d}.tif")
                    expected = whole[:, row : row + SIZE, column : column + SIZE]
                    np.testing.assert_array_equal(tile, expected)


def test_no_pixel_of_a_test_or_validation_scene_is_trained_on(scenes, made):
    """The scenes are random, so that no two windows are alike unless they are the same ground."""
    seen = {}
    for row in rows_of(made):
        image = read(made / "optical" / f"{row['name']}.tif")
        for top in range(0, SIZE - 7):
            # Eight pixels of a row in every row, wherever shifted tiles put them.
            for left in (0, SIZE - 8):
                seen.setdefault(image[:, top, left : left + 8].tobytes(), set()).add(row["split"])
    assert all(len(splits) == 1 for splits in seen.values())
    listed = {split: {n.split("_")[0] for n in names_of(made, split)} for split in SPLITS}
    published = {name: (scenes / f"{name}_list.txt").read_text() for name in ("train", "test")}
    assert all(scene in published["test"] for scene in listed["test"])
    assert all(scene in published["train"] for scene in listed["train"] | listed["val"])


def test_clouds_are_those_of_the_tiles_name_and_seed(made):
    covers = []
    settings = CloudSettings(
        gsd_m=5,
        wavelengths_um=(0.66, 0.555, 0.485, 0.83),
        white=(245, 240, 240, 250),
    )
    for name in names_of(made, "val")[:6] + names_of(made, "test")[:6]:
        clear = read(made / "optical" / f"{name}.tif")
        cloudy, opacity, mask = (read(made / folder / f"{name}.tif") for folder in CLOUDS)
        drawn = simulate_clouds(clear, settings, name=name, seed=0)
        np.testing.assert_array_equal(cloudy, drawn.image)
        np.testing.assert_array_equal(opacity[0] / np.float32(10_000), drawn.opacity)
        np.testing.assert_array_equal(mask[0], drawn.mask)
        assert (cloudy.dtype, opacity.dtype, mask.dtype) == (np.uint8, np.uint16, np.uint8)
        np.testing.assert_array_equal(mask == 1, opacity > 1000)
        covers.append(mask.mean())
    assert min(covers) < 0.3 and max(covers) > 0.7


def test_the_manifest_has_the_checksum_of_every_file(made):
    for row in rows_of(made):
        for modality in MODALITIES:
            file = made / modality / f"{row['name']}.tif"
            assert row[modality] == (pixel_checksum(read(file)) if file.exists() else "")
            assert file.exists() == (modality not in CLOUDS or row["split"] != "train")


def test_several_jobs_make_the_same(scenes, made, tmp_path):
    run(scenes, tmp_path, jobs=3)
    assert (tmp_path / "64/manifest.csv").read_bytes() == (made / "manifest.csv").read_bytes()
    assert files_below(tmp_path / "64") == files_below(made)


def test_several_sizes_frozen_training_and_another_seed(scenes, made, tmp_path):
    done = run(scenes, tmp_path, tile_sizes=(64, 96), freeze_train=True, seed=1, jobs=2)
    assert [folder.path.name for folder in done.folders] == ["64", "96"] and done.worked
    assert len(rows_of(tmp_path / "96")) == 6 * 3 * 4
    assert read(tmp_path / "96/cloudy" / f"{names_of(tmp_path / '96', 'train')[0]}.tif").shape == (
        4, 96, 96
    )  # fmt: skip
    there = {row["name"]: row for row in rows_of(tmp_path / "64")}
    for row in rows_of(made):
        assert all(there[row["name"]][m] for m in MODALITIES)
        assert there[row["name"]]["optical"] == row["optical"]
        assert there[row["name"]]["cloudy"] != row["cloudy"]


def test_a_second_run_does_nothing(scenes, tmp_path, monkeypatch):
    assert run(scenes, tmp_path).worked
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    # Not even the scenes are opened.
    monkeypatch.setattr(rasterio, "open", None)
    monkeypatch.setattr(whu_tiles, "simulate_clouds", None)
    assert not run(scenes, tmp_path).worked
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(seed=3), "seed: 0 there, 3 now"),
        (dict(val_fraction=0.6), "val_fraction: 0.1 there, 0.6 now"),
        (dict(freeze_train=True), "freeze_train: False there, True now"),
    ],
)
def test_another_recipe_is_refused(scenes, made, change, message):
    with pytest.raises(DataError, match=rf"{message}[\s\S]*choose another OUT, or delete"):
        run(scenes, made.parent, **change)


def test_other_scenes_are_refused(tmp_path, scenes, made):
    tree = shutil.copytree(scenes, tmp_path / "tree")
    (tree / "train_list.txt").write_text("NH49E001013\nNH49E002014\nNH49E003015\n")
    for folder in FOLDERS.values():
        (tree / folder / "NH50E005001.tif").unlink()
    with pytest.raises(DataError, match=r"scenes: train 2 .* there, train 1 "):
        run(tree, made.parent)


def test_lost_tiles_are_made_again(scenes, made, tmp_path):
    out = shutil.copytree(made.parent, tmp_path / "out")
    lost = ["optical/NH49E003015_r0064_c0128.tif", "cloud_mask/NH49E001013_r0000_c0000.tif"]
    for file in lost:
        (out / "64" / file).unlink()
    kept = out / "64/optical/NI49E021011_r0000_c0000.tif"
    age = kept.stat().st_mtime_ns
    assert run(scenes, out).worked
    assert files_below(out / "64") == files_below(made)
    assert (out / "64/manifest.csv").read_bytes() == (made / "manifest.csv").read_bytes()
    assert kept.stat().st_mtime_ns == age


@pytest.mark.parametrize("place", ["optical", "sar/tiles", "lbl/../lbl/x/y"])
def test_out_inside_the_published_folders_is_refused(tmp_path, scenes, place):
    tree = shutil.copytree(scenes, tmp_path / "tree")
    before = files_below(tree)
    with pytest.raises(DataError, match=rf"{tree / place.split('/')[0]}.*another OUT"):
        run(tree, tree / place)
    assert files_below(tree) == before


def test_out_beside_the_published_folders_is_fine(tmp_path, scenes):
    tree = shutil.copytree(scenes, tmp_path / "tree")
    run(tree, tree)
    assert not run(tree, tree).worked


def test_problems_leave_a_strange_folder_as_it_is(tmp_path, scenes):
    (tmp_path / "64" / "optical").mkdir(parents=True)
    (tmp_path / "64" / "optical" / ".download.part").write_text("")
    with pytest.raises(DataError, match=rf"{scenes}: [\s\S]*6 .*expected 100[\s\S]*--subset"):
        run(scenes, tmp_path, subset=False)
    with pytest.raises(DataError, match=r"64: .*Choose another OUT"):
        run(scenes, tmp_path)
    assert files_below(tmp_path) == ["64/optical/.download.part"]


def test_problems_stop_it_before_anything_is_written(tmp_path, scenes):
    tree = shutil.copytree(scenes, tmp_path / "tree")
    (tree / "sar" / "NI49E021011.tif").write_bytes(b"")
    with pytest.raises(DataError, match=rf"{tree}: 1 problem[\s\S]*NI49E021011[\s\S]*download"):
        run(tree, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("sizes", [(), (0,), (64, 64), (-32,)])
def test_tile_sizes_out_of_range(tmp_path, scenes, sizes):
    with pytest.raises(
        ValueError, match=rf"tile sizes: .*above 0, found {re.escape(str(list(sizes)))}"
    ):
        run(scenes, tmp_path / "out", tile_sizes=sizes)


@pytest.fixture
def stop():
    """``with stop():`` fails on one tile in the middle of the second validation scene."""

    def stopping_clouds(image, settings, *, name, seed):
        if name == "NH49E002014_r0064_c0064":
            raise OSError(28, "No space left on device")
        return simulate_clouds(image, settings, name=name, seed=seed)

    @contextlib.contextmanager
    def patched():
        with (
            pytest.MonkeyPatch.context() as patch,
            pytest.raises(OSError, match="No space left"),
        ):
            patch.setattr(whu_tiles, "simulate_clouds", stopping_clouds)
            yield

    return patched


@pytest.mark.parametrize("jobs", [1, 2])
def test_after_an_error_it_goes_on_where_it_was(scenes, made, tmp_path, jobs, stop):
    with stop():
        run(scenes, tmp_path, jobs=jobs)
    out = tmp_path / "64"
    assert not list(out.glob("*.txt")) and not (out / "manifest.csv").exists()
    assert not [file for file in files_below(out) if file.endswith(".part")]
    finished = [path.stem for path in (out / ".finished").iterdir()]
    # With two jobs, the other process may still be at the first scene.
    assert finished == ["NH49E001013"] or (jobs == 2 and not finished)
    ages = {
        path: path.stat().st_mtime_ns for name in finished for path in out.glob(f"*/{name}_*.tif")
    }
    assert len(ages) == 6 * TILES * len(finished)
    run(scenes, tmp_path, jobs=jobs)
    assert all(path.stat().st_mtime_ns == age for path, age in ages.items())
    assert (out / "manifest.csv").read_bytes() == (made / "manifest.csv").read_bytes()
    assert files_below(out) == files_below(made)


def test_a_scene_whose_files_have_changed_is_done_again(tmp_path, scenes, stop):
    tree = shutil.copytree(scenes, tmp_path / "tree")
    with stop():
        run(tree, tmp_path / "out")
    for folder in FOLDERS.values():
        shutil.copy(tree / folder / "NI49E021011.tif", tree / folder / "NH49E001013.tif")
    run(tree, tmp_path / "out")
    run(tree, tmp_path / "fresh")
    manifests = [(tmp_path / name / "64/manifest.csv").read_bytes() for name in ("out", "fresh")]
    assert manifests[0] == manifests[1]


def conversion(scenes, out, jobs):
    """As a process of its own that can be killed."""
    context = multiprocessing.get_context("fork")
    settings = dict(tile_sizes=(32,), jobs=jobs)
    process = context.Process(target=run, args=(scenes, out), kwargs=settings)
    process.start()
    return process


def count_files(folder):
    """Unlike ``glob``, ``walk`` does not mind folders that vanish while it looks."""
    return sum(len(files) for _, _, files in os.walk(folder))


def kill_at_some_moment(process, out, moments):
    """After some milliseconds, or when some more files are there. Returns whether it was alive."""
    if moments.random() < 0.3:
        process.join(moments.uniform(0, 0.1))
    else:
        wanted = count_files(out) + moments.randrange(1, 300)
        while process.is_alive() and count_files(out) < wanted:
            time.sleep(0.002)
    alive = process.is_alive()
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL or not alive
    return alive


@pytest.mark.parametrize("jobs", [1, 3])
def test_killed_at_any_moment_it_ends_with_the_same_manifest(scenes, tmp_path, jobs):
    run(scenes, tmp_path / "whole", tile_sizes=(32,), jobs=jobs)
    moments = random.Random(jobs)
    out = tmp_path / "killed"
    kills = 0
    for _ in range(8):
        kills += kill_at_some_moment(conversion(scenes, out, jobs), out, moments)
        tiles = sorted(out.glob("32/*/*.tif"), key=lambda path: path.stat().st_mtime_ns)
        for tile in tiles[-20:]:
            assert read(tile).shape[1:] == (32, 32)
    assert kills >= 3
    run(scenes, out, tile_sizes=(32,), jobs=jobs)
    whole = tmp_path / "whole" / "32"
    assert (out / "32/manifest.csv").read_bytes() == (whole / "manifest.csv").read_bytes()
    # No leftovers, hidden ones included.
    assert sorted(p.relative_to(out / "32") for p in (out / "32").rglob("*")) == sorted(
        p.relative_to(whole) for p in whole.rglob("*")
    )


def test_killed_between_manifest_and_the_end(scenes, made, tmp_path):
    out = shutil.copytree(made.parent, tmp_path / "out")
    (out / "64/.finished").mkdir()
    (out / "64/.finished/NH49E001013.json").write_text("{}")
    (out / "64/.manifest.csv.17.part").write_text("")
    assert not run(scenes, out).worked
    assert files_below(out / "64") == files_below(made)
    assert not (out / "64/.finished").exists()


def test_killed_before_the_recipe(scenes, made, tmp_path):
    (tmp_path / "64").mkdir()
    (tmp_path / "64" / ".whu_opt_sar.json.17.part").write_text('{"tile')
    run(scenes, tmp_path)
    assert files_below(tmp_path / "64") == files_below(made)


def test_two_runs_at_once_are_refused(scenes, tmp_path, monkeypatch):
    process = conversion(scenes, tmp_path, 1)
    while not (tmp_path / "32").exists():
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGSTOP)
    monkeypatch.setattr(locks, "PATIENCE_S", 0.1)
    try:
        with pytest.raises(DataError, match=rf"{tmp_path}: .*[Ww]ait.* or stop"):
            run(scenes, tmp_path, tile_sizes=(32,))
    finally:
        process.kill()
        process.join()
