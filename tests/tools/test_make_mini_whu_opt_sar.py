"""The tool of the miniature WHU-OPT-SAR, run as a user runs it."""

import functools

import pytest
import rasterio


@pytest.fixture
def make(run_tool):
    return functools.partial(run_tool, "make_mini_whu_opt_sar.py")


def test_makes_the_set_with_progress_and_one_closing_line(make, tmp_path):
    out = tmp_path / "parent" / "set"
    status, printed, shown = make(out, "--train", 2, "--test", 1, "--size", 80, 120, "--seed", 3)
    assert status == 0, shown
    assert "3/3" in shown
    assert printed.startswith(f"{out}: 3 scenes (2 train, 1 test), 0.2 MB, made in")
    assert len(printed.splitlines()) == 1
    names = (out / "train_list.txt").read_text().split()
    assert len(names) == 2 and len(list(out.rglob("*.tif"))) == 9
    with rasterio.open(out / "optical" / names[0]) as raster:
        assert raster.shape == (80, 120)


def test_refuses_a_strange_folder_in_one_line(make, tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    status, printed, shown = make(tmp_path, "--train", 1, "--test", 0)
    assert status == 1 and printed == ""
    assert shown.startswith(f"error: {tmp_path}: the folder is not empty")
    assert "has no mini_whu_opt_sar.json, so it was not made by make_mini_whu_opt_sar.py" in shown
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_more_scenes_than_map_sheets_end_in_one_line(make, tmp_path):
    status, _, shown = make(tmp_path / "set", "--train", 289)
    assert status == 1
    assert shown.startswith("error: sheet_name: expected") and "found 'train' and 288" in shown
    assert not (tmp_path / "set").exists()


def test_refuses_negative_numbers(make, tmp_path):
    status, _, shown = make(tmp_path / "set", "--test", -1)
    assert status == 2
    assert "expected a whole number from 0, found -1" in shown
