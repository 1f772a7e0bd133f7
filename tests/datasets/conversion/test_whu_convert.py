"""Conversion of a small published tree: what is written, and what is refused."""

import re
import shutil

import numpy as np
import pytest
import rasterio
from converted import (
    CLOUDS,
    FOLDERS,
    SIZE,
    SPLITS,
    TILES,
    files_below,
    names_of,
    read,
    rows_of,
    run,
)

from mmcloudseg.clouds import CloudSettings, simulate_clouds
from mmcloudseg.datasets.conversion.tile_folder import MODALITIES, pixel_checksum
from mmcloudseg.datasets.conversion.whu_tiles import tile_origins
from mmcloudseg.rasters.reading import raster_session
from mmcloudseg.utils.errors import DataError


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
