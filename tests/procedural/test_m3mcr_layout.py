"""Files, folders and lists on disk."""

import csv
import hashlib
import json

import numpy as np
import pytest
import rasterio

from mmcloudseg.procedural import draw_sample, write_mini_m3mcr

COUNTS = {"train": 3, "val": 1, "test": 1}
PREFIXES = ("planet_cloudfree", "planet_cloudy", "S1", "landcover", "cloudmask")


def _digests(root):
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def _rows(root, split):
    with open(root / f"{split}.csv", newline="") as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("mini") / "set"
    size = write_mini_m3mcr(root, COUNTS, seed=0)
    return root, size


def test_lists_name_every_file_in_the_published_order(made):
    root, _ = made
    listed = set()
    for split, count in COUNTS.items():
        rows = _rows(root, split)
        assert len(rows) == count
        for row in rows:
            tails = set()
            for prefix, path in zip(PREFIXES, row, strict=True):
                group, place, name = path.split("/")
                season, area = place.removeprefix(f"{prefix}_").split("_")
                ending = ".npy" if prefix == "cloudmask" else ".tif"
                assert group == f"{prefix}_{season}"
                assert name.startswith(f"{prefix}_{season}_{area}_p_") and name.endswith(ending)
                tails.add(name.removeprefix(prefix).removesuffix(ending))
                assert (root / split / path).is_file()
                listed.add(root / split / path)
            assert len(tails) == 1
    written = {path for split in COUNTS for path in (root / split).rglob("*") if path.is_file()}
    assert written == listed


def test_areas_are_disjoint(made):
    root, _ = made
    areas = [{row[0].split("/")[1] for row in _rows(root, split)} for split in COUNTS]
    assert not (areas[0] & areas[1] or areas[0] & areas[2] or areas[1] & areas[2])


def test_rasters_hold_the_sample_in_the_published_format(made):
    root, _ = made
    for index, row in enumerate(_rows(root, "train")):
        sample = draw_sample(0, "train", index)
        clear, cloudy, radar, labels, mask = (root / "train" / path for path in row)
        contents = (
            (clear, sample.cloud_free, 0, 3.0),
            (cloudy, sample.cloudy, 0, 3.0),
            (radar, sample.backscatter_db, None, 10.0),
            (labels, sample.land_cover[None], None, 10.0),
        )
        for path, expected, nodata, gsd_m in contents:
            with rasterio.open(path) as raster:
                np.testing.assert_array_equal(raster.read(), expected)
                assert raster.dtypes == (str(expected.dtype),) * len(expected)
                assert raster.nodata == nodata
                assert raster.res == (gsd_m, gsd_m)
                assert raster.crs.is_projected and raster.crs.to_epsg() == sample.epsg
                assert 32601 <= sample.epsg <= 32660 or 32701 <= sample.epsg <= 32760
                origin = (raster.transform.c, raster.transform.f)
                assert origin == (sample.optical_origin if gsd_m == 3 else sample.label_origin)
        stored = np.load(mask, allow_pickle=False)
        assert stored.dtype == bool
        np.testing.assert_array_equal(stored, sample.cloud_mask)


def test_headers_equal_those_of_the_real_samples(made, shared):
    root, _ = made
    keys = ("driver", "dtype", "nodata", "width", "height", "count", "interleave", "blockysize")
    real_root = shared / "m3mcr_sample"
    for ours, real in zip(_rows(root, "train")[0], _rows(real_root, "train")[0], strict=True):
        if ours.endswith(".npy"):
            masks = [
                np.load(folder / "train" / path, allow_pickle=False)
                for folder, path in ((root, ours), (real_root, real))
            ]
            assert masks[0].dtype == masks[1].dtype and masks[0].shape == masks[1].shape
            continue
        with (
            rasterio.open(root / "train" / ours) as made_raster,
            rasterio.open(real_root / "train" / real) as real_raster,
        ):
            profiles = [{k: r.profile[k] for k in keys} for r in (made_raster, real_raster)]
            assert profiles[0] == profiles[1]


def test_size_is_counted_and_the_recipe_kept(made):
    root, size = made
    assert size == sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    assert size / sum(COUNTS.values()) == pytest.approx(1.67e6, rel=0.02)
    recipe = json.loads((root / "mini_m3mcr.json").read_text())
    assert recipe == {"seed": 0, "samples": COUNTS}


def test_same_seed_same_files_and_fewer_samples_are_a_prefix(made, tmp_path):
    root, _ = made
    write_mini_m3mcr(tmp_path / "again", {"train": 2}, seed=0)
    write_mini_m3mcr(tmp_path / "other", {"train": 2}, seed=1)
    first, again, other = (
        _digests(path) for path in (root, tmp_path / "again", tmp_path / "other")
    )
    samples = [name for name in again if name.startswith("train/")]
    assert len(samples) == 10
    assert all(again[name] == first[name] for name in samples)
    pixels = [name for name in other if "cloudmask" in name or "planet" in name]
    assert all(other[name] != first.get(name) for name in pixels)
    assert _rows(tmp_path / "again", "val") == []


def test_a_folder_of_somebody_else_is_refused_and_survives_force(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "old.txt").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=rf"{tmp_path}.*not empty.*--force"):
        write_mini_m3mcr(tmp_path, {"train": 1})
    assert (tmp_path / "train" / "old.txt").read_text() == "old"
    write_mini_m3mcr(tmp_path, {"train": 1}, force=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert not (tmp_path / "train" / "old.txt").exists()
    assert len(_rows(tmp_path, "train")) == 1


def test_own_and_empty_folders_are_filled_without_asking(tmp_path):
    out = tmp_path / "set"
    out.mkdir()
    write_mini_m3mcr(out, {"train": 1}, seed=0)
    before = _digests(out)
    write_mini_m3mcr(out, {"train": 1}, seed=1)
    assert json.loads((out / "mini_m3mcr.json").read_text())["seed"] == 1
    assert _digests(out) != before
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    assert len(list((out / "train").rglob("*.npy"))) == 1


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "set").write_text("")
    with pytest.raises(FileExistsError, match=r"set: .*found a file.*another folder"):
        write_mini_m3mcr(tmp_path / "set", {"train": 1})


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interrupted_run_leaves_nothing_behind(tmp_path, error):
    def interrupt(todo):
        yield todo[0]
        raise error

    with pytest.raises(error):
        write_mini_m3mcr(tmp_path / "set", COUNTS, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_keeps_the_data_set_that_was_there(tmp_path):
    def interrupt(todo):
        yield todo[0]
        raise KeyboardInterrupt

    write_mini_m3mcr(tmp_path / "set", {"train": 1}, seed=0)
    before = _digests(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        write_mini_m3mcr(tmp_path / "set", COUNTS, seed=1, progress=interrupt)
    assert _digests(tmp_path) == before


def test_wrong_counts_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"counts: .*train, .*'dev': 1"):
        write_mini_m3mcr(tmp_path / "set", {"dev": 1})
    with pytest.raises(ValueError, match=r"counts: .*from 0 .*'train': -1"):
        write_mini_m3mcr(tmp_path / "set", {"train": -1})
    assert list(tmp_path.iterdir()) == []
