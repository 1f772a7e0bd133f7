"""Files and lists of the miniature WHU-OPT-SAR."""

import hashlib
import inspect
import json

import numpy as np
import pytest
import rasterio

from mmcloudseg.procedural import write_mini_whu
from mmcloudseg.procedural.mini_whu import draw_whu_scene

COUNTS = {"train": 3, "test": 2}
SIZE = (60, 90)


def digests(root):
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*.tif")
    }


def names(root, split):
    return (root / f"{split}_list.txt").read_text().splitlines()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("whu") / "set"
    return root, write_mini_whu(root, COUNTS, SIZE)


def test_lists_name_every_file_once(made):
    root, _ = made
    listed = names(root, "train") + names(root, "test")
    assert [len(names(root, split)) for split in COUNTS] == [3, 2]
    assert len(set(listed)) == 5
    for folder in ("optical", "sar", "lbl"):
        assert sorted(path.name for path in (root / folder).iterdir()) == sorted(listed)


def test_rasters_hold_the_scene_without_a_reference_system(made):
    root, _ = made
    for split in COUNTS:
        for index, name in enumerate(names(root, split)):
            scene = draw_whu_scene(0, split, index, SIZE)
            assert name == f"{scene.name}.tif"
            for folder, pixels in (
                ("optical", scene.optical),
                ("sar", scene.sar[None]),
                ("lbl", scene.label[None]),
            ):
                with rasterio.open(root / folder / name) as raster:
                    np.testing.assert_array_equal(raster.read(), pixels)
                    assert set(raster.dtypes) == {"uint8"}
                    assert raster.crs is None and raster.transform.is_identity
                    assert raster.nodata is None


def test_size_is_counted_and_the_recipe_kept(made):
    root, size = made
    assert size == sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    recipe = json.loads((root / "mini_whu_opt_sar.json").read_text())
    assert recipe == {"seed": 0, "size": [60, 90], "scenes": COUNTS}


def test_same_seed_same_files_and_fewer_scenes_are_a_prefix(made, tmp_path):
    root, _ = made
    write_mini_whu(tmp_path / "again", {"train": 2, "test": 1}, SIZE, seed=0)
    write_mini_whu(tmp_path / "other", {"train": 2, "test": 1}, SIZE, seed=1)
    first, again, other = (
        digests(path) for path in (root, tmp_path / "again", tmp_path / "other")
    )
    assert len(again) == 9 and again.items() <= first.items()
    assert all(other[name] != first[name] for name in other)


def test_the_defaults_allow_a_validation_split():
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(write_mini_whu).parameters.items()
    }
    assert dict(defaults["counts"]) == {"train": 10, "test": 4}
    assert defaults["size"] == (400, 600) and defaults["seed"] == 0


def test_wrong_numbers_are_named_before_anything_is_drawn(tmp_path):
    def never(todo):
        raise AssertionError

    for counts, message in (
        ({"val": 1}, "'val': 1"),
        ({"train": -1}, "'train': -1"),
        ({"train": 400}, "found 'train' and 399"),
    ):
        with pytest.raises(ValueError, match=message):
            write_mini_whu(tmp_path / "set", counts, SIZE, progress=never)
    assert list(tmp_path.iterdir()) == []
