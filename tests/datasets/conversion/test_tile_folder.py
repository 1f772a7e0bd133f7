import hashlib
import json

import numpy as np
import pytest

from mmcloudseg.datasets.conversion.tile_folder import COLUMNS, TileFolder, pixel_checksum
from mmcloudseg.utils.errors import DataError

RECIPE = dict(tile_size=64, seed=0, scenes=dict(train=["A", "B"], test=["C"]))
STATE = [[10, 123]]


@pytest.fixture
def folder(tmp_path):
    return TileFolder(tmp_path / "out" / "64", RECIPE)


def rows_of(folder, scene, split="train", write=True):
    rows = []
    for place in ("r0000_c0000", "r0000_c0064"):
        row = {**dict.fromkeys(COLUMNS, ""), "split": split, "name": f"{scene}_{place}"}
        rows.append({**row, "optical": "1", "sar": "2"})
        if write:
            for modality in ("optical", "sar"):
                (folder.path / modality / f"{scene}_{place}.tif").write_text("")
    return rows


def begun(folder, *scenes):
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.begin()
    for scene in scenes:
        folder.record(scene, rows_of(folder, scene), STATE)
    return folder


def test_the_recipe_is_written_first(folder):
    folder.path.mkdir(parents=True)
    (folder.path / "optical").write_text("in the way")
    with pytest.raises(FileExistsError):
        folder.begin()
    assert json.loads((folder.path / "whu_opt_sar.json").read_text()) == RECIPE
    folder.check_recipe()


def test_another_recipe_is_refused(folder):
    begun(folder)
    scenes = dict(train=["A"], test=["C"])
    with pytest.raises(DataError) as error:
        TileFolder(folder.path, dict(RECIPE, seed=1, scenes=scenes)).check_recipe()
    lines = str(error.value).splitlines()
    assert lines == [
        f"{folder.path}: made with another recipe (2 in all):",
        "  - seed: 0 there, 1 now",
        "  - scenes: train 2 scenes, test 1 scenes there, train 1 scenes, test 1 scenes now",
        f"Use the same arguments and scenes, choose another OUT, or delete {folder.path}.",
    ]
    folder.check_recipe()


def test_folders_that_are_not_ours(folder):
    folder.check_recipe()
    folder.path.mkdir(parents=True)
    (folder.path / ".whu_opt_sar.json.17.part").write_text("{")
    folder.check_recipe()
    (folder.path / "thesis.tex").write_text("")
    with pytest.raises(
        DataError, match=r"holds thesis\.tex but no whu_opt_sar\.json.*Choose another OUT"
    ):
        folder.check_recipe()
    (folder.path / "whu_opt_sar.json").write_text("{")
    with pytest.raises(DataError, match=rf"whu_opt_sar\.json: .*Delete {folder.path}"):
        folder.check_recipe()
    with pytest.raises(DataError, match=r"thesis\.tex: .*found a file.*another OUT"):
        TileFolder(folder.path / "thesis.tex", RECIPE).check_recipe()


def test_finished_scenes_by_their_records(folder):
    begun(folder, "A", "B")
    sources = dict(A=STATE, B=STATE, C=STATE)
    assert folder.finished_scenes(sources) == {s: rows_of(folder, s) for s in ("A", "B")}
    assert set(folder.finished_scenes(dict(sources, A=[[10, 124]]))) == {"B"}
    (folder.path / "sar" / "B_r0000_c0064.tif").unlink()
    assert set(folder.finished_scenes(sources)) == {"A"}
    (folder.path / ".finished" / "A.json").write_text("")
    assert folder.finished_scenes(sources) == {}
    assert not folder.is_complete("AB")


def test_finished_scenes_by_the_manifest(folder):
    begun(folder, "A", "B")
    folder.finish([*rows_of(folder, "A"), *rows_of(folder, "B")])
    assert not (folder.path / ".finished").exists()
    assert folder.is_complete("AB") and not folder.is_complete("ABC")
    assert folder.finished_scenes({}) == {s: rows_of(folder, s, write=False) for s in ("A", "B")}
    (folder.path / "optical" / "A_r0000_c0000.tif").unlink()
    assert set(folder.finished_scenes({})) == {"B"} and not folder.is_complete("AB")


def test_half_written_files_are_cleared_away(folder):
    begun(folder, "A")
    before = sorted(folder.path.rglob("*"))
    for name in (".x.tif.17.part", "optical/.x.tif.17.part", ".finished/.A.json.17.part"):
        (folder.path / name).write_text("")
    (folder.path / "cloud_mask/.y.tif.17.part").write_text("")
    folder.begin()
    assert sorted(folder.path.rglob("*")) == before


def test_summary(folder):
    begun(folder)
    folder.finish([*rows_of(folder, "A"), *rows_of(folder, "B"), *rows_of(folder, "C", "test")])
    (folder.path / "optical" / "A_r0000_c0000.tif").write_bytes(bytes(2_500_000))
    first, second = folder.summary().splitlines()
    assert first == (
        f"{folder.path}: train 4 tiles of 2 scenes, val 0 tiles of 0 scenes, "
        "test 2 tiles of 1 scenes; 2.5 MB"
    )
    assert second.startswith(f"{folder.path}: manifest ") and len(second.split()[-1]) == 32


def test_checksum_of_type_shape_and_pixels():
    pixels = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    content = b"uint16 2x3x4\n" + pixels.astype("<u2").tobytes()
    assert pixel_checksum(pixels) == hashlib.blake2b(content, digest_size=16).hexdigest()
    others = [
        pixels.astype(np.int16),
        pixels.reshape(2, 4, 3),
        np.where(pixels == 23, 22, pixels).astype(np.uint16),
    ]
    assert len({pixel_checksum(p) for p in (pixels, *others)}) == 4


def test_checksum_does_not_depend_on_how_the_array_lies_in_memory():
    pixels = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    expected = pixel_checksum(pixels)
    assert pixel_checksum(pixels.astype(">u2")) == expected
    assert pixel_checksum(np.asfortranarray(pixels)) == expected
    assert pixel_checksum(np.pad(pixels, ((0, 0), (0, 0), (0, 1)))[:, :, :-1]) == expected


def tile(split, name, **sums):
    return {**dict.fromkeys(COLUMNS, ""), "split": split, "name": name, **sums}


def test_lists_and_manifest_are_sorted(tmp_path):
    rows = [
        tile("test", "b", optical="1", cloudy="2"),
        tile("train", "c_r0010_c0000", optical="3"),
        tile("val", "a", label="4"),
        tile("train", "c_r0000_c0010", sar="5"),
    ]
    TileFolder(tmp_path, RECIPE).finish(rows)
    assert (tmp_path / "train.txt").read_text() == "c_r0000_c0010\nc_r0010_c0000\n"
    assert (tmp_path / "val.txt").read_text() == "a\n"
    assert (tmp_path / "test.txt").read_text() == "b\n"
    assert (tmp_path / "manifest.csv").read_bytes() == (
        b"split,name,optical,sar,label,cloudy,cloud_opacity,cloud_mask\n"
        b"train,c_r0000_c0010,,5,,,,\n"
        b"train,c_r0010_c0000,3,,,,,\n"
        b"val,a,,,4,,,\n"
        b"test,b,1,,,2,,\n"
    )
    assert len(list(tmp_path.iterdir())) == 4


def test_digest_is_of_the_whole_manifest(folder):
    digests = set()
    for checksum in ("1", "2"):
        begun(folder).finish([tile("val", "a", optical=checksum)])
        digests.add(folder.summary().split()[-1])
    assert len(digests) == 2 and all(len(digest) == 32 for digest in digests)
