"""Each test breaks a sound tree and reads the whole report."""

import re
import shutil

import numpy as np
import pytest
import rasterio

from mmcloudseg.datasets.conversion import ConversionSettings, check
from mmcloudseg.rasters.reading import raster_session
from mmcloudseg.utils.errors import DataError

A, B, C, D = "NH49E001013", "NH49E002014", "NH49E003015", "NH50E005001"
T, U = "NH49E010020", "NI49E021011"


@pytest.fixture
def tree(tmp_path, scenes):
    return shutil.copytree(scenes, tmp_path / "tree")


@pytest.fixture
def edit(tree):
    def change(file, function):
        with raster_session(), rasterio.open(tree / file) as source:
            pixels = function(source.read())
        with (
            raster_session(),
            rasterio.open(
                tree / file,
                "w",
                driver="GTiff",
                count=pixels.shape[0],
                height=pixels.shape[1],
                width=pixels.shape[2],
                dtype=pixels.dtype,
            ) as target,
        ):
            target.write(pixels)

    return change


def run(root, **kwargs):
    settings = dict(tile_sizes=(64,), subset=True, jobs=1)
    return check(root, ConversionSettings(**{**settings, **kwargs}))


def problems(root, **kwargs):
    """The report's lines, without the title and the advice."""
    with pytest.raises(DataError) as error:
        run(root, **kwargs)
    title, *lines, advice = str(error.value).splitlines()
    assert "Nothing was written" in advice and "--subset" in advice
    count = int(re.search(r": (\d+) problem\(s\)", title)[1])
    assert title.startswith(str(root)) and count >= len(lines)
    return [line.removeprefix("  - ") for line in lines]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_sound_tree(scenes, jobs):
    found = run(scenes, tile_sizes=(64, 200), jobs=jobs)
    assert found.names() == dict(train=[C, D], val=[A, B], test=[T, U])
    assert found.left_out == () and found.problems == ()


def test_the_published_set_is_whole(scenes):
    lines = problems(scenes, subset=False)
    assert lines[0] == "6 scenes on the lists, expected 100 (--subset takes a part of the set)"
    assert lines[1].startswith("optical/: 200 x 300 pixels, expected 3704 x 5556")
    assert lines[1].endswith(f": {A}, {B}, {C}, {T}, {D}, {U} (6 scenes)")
    assert len(lines) == 2


def test_no_folder(tmp_path):
    (line,) = problems(tmp_path / "nowhere")
    assert line.startswith(
        f"no such folder: {tmp_path / 'nowhere'}. Expected a folder with optical/"
    )


def test_folders_and_lists_missing(tree):
    (tree / "lbl").rename(tree / "labels")
    (tree / "sar").rename(tree / "radar")
    (tree / "test_list.txt").unlink()
    lines = problems(tree)
    assert lines[0] == "folders missing: sar/, lbl/; folders found: labels, optical, radar"
    assert lines[1].startswith("no test_list.txt: expected the names of the test scenes")
    assert "'The division of the dataset.txt'" in lines[1] and len(lines) == 2


def test_the_set_lies_one_folder_deeper(tree):
    lines = problems(tree.parent)
    assert lines[0].endswith(f"; did you mean {tree}?")


def test_files_missing_and_scenes_on_no_or_both_lists(tree):
    (tree / "sar" / f"{C}.tif").unlink()
    (tree / "sar" / f"{D}.tif").unlink()
    (tree / "lbl" / f"{T}.tif").unlink()
    for folder in ("optical", "sar", "lbl"):
        shutil.copy(tree / folder / f"{A}.tif", tree / folder / "NH50E001001.tif")
    (tree / "optical" / "Thumbs.db").write_text("")
    (tree / "optical" / f"._{A}.tif").write_text("")
    (tree / "test_list.txt").write_text(f"{T}\n{U}\noptical/{B}.tif\n")
    assert problems(tree) == [
        f"on both lists, so it would be trained and tested on: {B}",
        "has files, but is on neither list: NH50E001001",
        f"no file in sar/: {C}, {D} (2 scenes)",
        f"no file in lbl/: {T}",
    ]


def test_an_empty_folder(tree):
    for file in (tree / "sar").iterdir():
        file.unlink()
    assert problems(tree) == [f"no file in sar/: {A}, {B}, {C}, {T}, {D}, {U} (6 scenes)"]


def test_scenes_that_are_not_there_at_all(tree):
    with open(tree / "train_list.txt", "a") as file:
        file.write("NH50E006001\nNH50E007001\n")
    found = run(tree)
    assert found.left_out == ("NH50E006001", "NH50E007001")
    assert sum(map(len, found.names().values())) == 6
    lines = problems(tree, subset=False)
    for folder in ("optical", "sar", "lbl"):
        assert f"no file in {folder}/: NH50E006001, NH50E007001 (2 scenes)" in lines


def test_no_scene_left(tree):
    (tree / "test_list.txt").write_text("NH50E001001\n")
    for scene in (T, U):
        for folder in ("optical", "sar", "lbl"):
            (tree / folder / f"{scene}.tif").unlink()
    assert problems(tree) == ["test_list.txt: lists no scene that has files"]


def test_names_and_sheets(tree):
    for folder in ("optical", "sar", "lbl"):
        (tree / folder / f"{T}.tif").rename(tree / folder / "scene1.tif")
        (tree / folder / f"{C}.tif").unlink()
        (tree / folder / f"{D}.tif").unlink()
    (tree / "test_list.txt").write_text(f"scene1\n{U}")
    lines = problems(tree)
    assert lines[0].startswith("scene1: not the name of a map sheet")
    assert lines[1].startswith("train_list.txt: its 2 scene(s) lie on one 1:100 000 map sheet")
    assert len(lines) == 2


def test_swapped_modalities(tree):
    (tree / "optical").rename(tree / "x")
    (tree / "sar").rename(tree / "optical")
    (tree / "x").rename(tree / "sar")
    (line,) = problems(tree)
    assert line.startswith(
        "optical/ and sar/ look swapped: 1 band in the first, 4 in the second: NH49E001013"
    )
    assert line.endswith("(6 scenes)")


def test_sar_in_the_labels_folder(tree):
    (tree / "lbl").rename(tree / "x")
    (tree / "sar").rename(tree / "lbl")
    (tree / "x").rename(tree / "sar")
    image, narrow = problems(tree)
    assert image.startswith("lbl/: more than 20 codes other than 0, 10, 20,")
    assert image.endswith("(6 scenes)")
    assert narrow.startswith("sar/: 200 x 299 pixels, expected 200 x 300")


def test_bands_types_sizes_and_codes(tree, edit):
    edit(f"optical/{A}.tif", lambda pixels: pixels[:3])
    edit(f"sar/{A}.tif", lambda pixels: pixels.astype(np.uint16))
    edit(f"sar/{B}.tif", lambda pixels: pixels[:, :-1])
    edit(f"lbl/{C}.tif", lambda pixels: pixels[:, :, :-2])
    edit(f"lbl/{D}.tif", lambda pixels: np.where(pixels == 10, 11, pixels).astype(np.uint8))
    edit(f"lbl/{T}.tif", lambda pixels: np.where(pixels == 10, 11, pixels).astype(np.uint8))
    assert problems(tree) == [
        f"optical/: 3 band(s), expected 4 (red, green, blue, near infrared): {A}",
        f"sar/: pixels of uint16, expected uint8: {A}",
        f"sar/: 199 x 300 pixels, expected 200 x 300 (rows x columns), as the optical image: {B}",
        "lbl/: 200 x 298 pixels, expected 200 x 300 or 200 x 299 (rows x columns), as the optical "
        f"image: {C}",
        "lbl/: unknown label code 11; expected 0, 10, 20, 30, 40, 50, 60, 70: "
        f"{T}, {D} (2 scenes)",
    ]


def test_a_scene_smaller_than_a_tile(tree, edit):
    for folder in ("optical", "sar", "lbl"):
        edit(f"{folder}/{A}.tif", lambda pixels: pixels[:, :120])
    assert problems(tree, tile_sizes=(64, 128)) == [
        "optical/: 120 x 300 pixels, smaller than a tile of 128 x 128; choose a smaller "
        f"--tile-size: {A}"
    ]
    run(tree)


def test_truncated_and_foreign_files(tree):
    sar = tree / "sar" / f"{A}.tif"
    size = sar.stat().st_size
    with open(sar, "r+b") as file:
        file.truncate(size - 10)
    (tree / "lbl" / f"{U}.tif").write_text("<html>quota exceeded</html>")
    lines = problems(tree)
    assert lines[0].startswith(f"{sar}: cannot be read ({size - 10} bytes")
    assert lines[1].startswith(f"{tree}/lbl/{U}.tif: cannot be read (27 bytes")
    assert len(lines) == 2


def test_a_file_cut_in_any_band_is_found(tree, tmp_path):
    """Bands one after another: the last pixel of the last band says nothing about the others."""
    path = tree / "optical" / f"{A}.tif"
    with raster_session():
        with rasterio.open(path) as source:
            pixels = source.read()
        with rasterio.open(
            path, "w", driver="GTiff", count=4, height=200, width=300, dtype="uint8",
            interleave="band", blockysize=200,
        ) as target:  # fmt: skip
            # Written from the last band to the first, so that the first lies at the end.
            for band in (4, 3, 2, 1):
                target.write(pixels[band - 1], band)
    content = path.read_bytes()
    place = content.index(pixels[0].tobytes())
    assert place > content.index(pixels[3].tobytes())
    path.write_bytes(content[: place + 1000])
    lines = problems(tree)
    assert len(lines) == 1 and lines[0].startswith(f"{path}: cannot be read")


def test_all_problems_are_in_one_report(tree):
    """More than the few that other checks list."""
    for name in (A, B, C, D, T, U):
        (tree / "optical" / f"{name}.tif").write_bytes(b"")
    lines = problems(tree)
    assert len(lines) == 6
    assert [line.split(":")[0][-15:] for line in lines] == sorted(
        f"{name}.tif" for name in (A, B, C, D, T, U)
    )
