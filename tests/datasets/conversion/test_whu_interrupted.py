"""What interruptions, lost files and a second run do to a conversion."""

import contextlib
import multiprocessing
import os
import random
import shutil
import signal
import time

import pytest
import rasterio
from converted import FOLDERS, SIZE, TILES, files_below, read, run

from mmcloudseg.clouds import simulate_clouds
from mmcloudseg.datasets.conversion import whu_tiles
from mmcloudseg.utils import locks
from mmcloudseg.utils.errors import DataError


@pytest.fixture(scope="module")
def made(scenes, tmp_path_factory):
    """The tree, converted; not to be changed."""
    out = tmp_path_factory.mktemp("tiles")
    run(scenes, out)
    return out / str(SIZE)


def test_a_second_run_does_nothing(scenes, tmp_path, monkeypatch):
    assert run(scenes, tmp_path).worked
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    # Not even the scenes are opened.
    monkeypatch.setattr(rasterio, "open", None)
    monkeypatch.setattr(whu_tiles, "simulate_clouds", None)
    assert not run(scenes, tmp_path).worked
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


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
    assert finished == ["NH49E001013"]
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
