"""The mini data set's tool, run as a user runs it."""

import functools
import subprocess
import sys
import time

import pytest


@pytest.fixture
def make(run_tool):
    return functools.partial(run_tool, "make_mini_m3mcr.py")


def test_help_is_quick_and_shows_an_example(root):
    # The fastest of three: a busy machine must not fail the test.
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        result = subprocess.run(
            [sys.executable, str(root / "tools" / "make_mini_m3mcr.py"), "--help"],
            capture_output=True,
            text=True,
        )
        seconds.append(time.perf_counter() - start)
        assert result.returncode == 0
        assert "python tools/make_mini_m3mcr.py data/mini_m3mcr" in result.stdout
        if seconds[-1] < 2:
            break
    assert min(seconds) < 2


def test_help_imports_nothing_heavy(root):
    tool = str(root / "tools" / "make_mini_m3mcr.py")
    result = subprocess.run(
        [sys.executable, "-X", "importtime", tool, "--help"], capture_output=True, text=True
    )
    imported = {line.rsplit("|", 1)[-1].strip() for line in result.stderr.splitlines()}
    assert "argparse" in imported
    assert not imported & {"numpy", "rasterio", "tqdm", "torch", "mmseg", "mmcloudseg"}


def test_makes_the_set_with_progress_and_one_closing_line(make, tmp_path):
    out = tmp_path / "parent" / "set"
    status, printed, shown = make(out, "--train", 2, "--val", 1, "--test", 1, "--seed", 3)
    assert status == 0, shown
    assert "4/4" in shown
    lines = printed.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"{out}: 4 samples (2 train, 1 val, 1 test), 6.7 MB, made in")
    assert len((out / "train.csv").read_text().splitlines()) == 2
    assert len(list(out.rglob("*.tif"))) == 16


def test_refuses_a_strange_folder_in_one_line(make, tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    status, printed, shown = make(tmp_path, "--train", 1, "--val", 0, "--test", 0)
    assert status == 1 and printed == ""
    assert shown.startswith(f"error: {tmp_path}: the folder is not empty")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_refuses_negative_numbers(make, tmp_path):
    status, _, shown = make(tmp_path / "set", "--train", -1)
    assert status == 2
    assert "expected a whole number from 0, found -1" in shown
