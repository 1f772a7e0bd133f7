"""The tool of the miniature LuojiaSET-OSFCR, run as a user runs it."""

import functools
import json

import pytest


@pytest.fixture
def make(run_tool):
    return functools.partial(run_tool, "make_mini_luojia.py")


def test_makes_the_set_with_progress_and_one_closing_line(make, tmp_path):
    out = tmp_path / "parent" / "set"
    status, printed, shown = make(out, "--rois", 2, "--patches", 1, "--seed", 3)
    assert status == 0, shown
    assert "2/2" in shown
    assert printed.startswith(f"{out}: 2 patches of 2 regions, ")
    assert len(printed.splitlines()) == 1
    assert len(list(out.rglob("*.tif"))) == 2 * 2 * 5
    recipe = json.loads((out / "mini_luojia-osfcr.json").read_text())
    assert recipe == {"seed": 3, "rois": 2, "patches_per_roi": 1}


def test_refuses_a_strange_folder_in_one_line(make, tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    status, printed, shown = make(tmp_path, "--rois", 1, "--patches", 1)
    assert status == 1 and printed == ""
    assert shown.startswith(f"error: {tmp_path}: the folder is not empty")
    assert "to replace 0-20%, 20%-40%, 40%-60%, 60%-80%, 80%-100% in it" in shown
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_refuses_negative_numbers(make, tmp_path):
    status, _, shown = make(tmp_path / "set", "--rois", -1)
    assert status == 2
    assert "expected a whole number from 0, found -1" in shown
