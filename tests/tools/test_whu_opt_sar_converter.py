"""The converter's tool, run as a user runs it."""

import functools
import importlib.util
import os
import resource
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

TOOL = "tools/dataset_converters/whu_opt_sar.py"
SMALL = ["--subset", "--tile-size", "64", "--jobs", "2"]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """A small published tree, by the fixtures of the conversion's tests."""
    path = Path(__file__).parents[1] / "datasets" / "conversion" / "conftest.py"
    spec = importlib.util.spec_from_file_location("published_tree", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module._make_scenes(tmp_path_factory.mktemp("published"))


@pytest.fixture
def tool(root, monkeypatch, capsys):
    """Run the tool in this process, which has the package imported already."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", [TOOL, *map(str, arguments)])
        status, message = 0, ""
        try:
            runpy.run_path(str(root / TOOL), run_name="__main__")
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else 1
            message = "" if isinstance(stop.code, int) else str(stop.code)
        captured = capsys.readouterr()
        return status, captured.out, captured.err + message

    return run


def start(root, *arguments, **kwargs):
    command = [sys.executable, str(root / TOOL), *map(str, arguments)]
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return subprocess.Popen(command, cwd=root, **pipes, **kwargs)


def test_help_imports_nothing_heavy(root):
    command = [sys.executable, "-X", "importtime", str(root / TOOL), "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "argparse" in imported
    assert not imported & {"numpy", "rasterio", "tqdm", "torch", "mmseg", "mmcloudseg"}


def test_converts_and_says_what_was_made(tool, scenes, tmp_path):
    out = tmp_path / "tiles"
    sizes = ["--subset", "--jobs", "2", "--tile-size", "96", "64", "96"]
    status, printed, shown = tool(scenes, out, *sizes)
    assert status == 0, shown
    lines = printed.splitlines()
    assert lines[0].startswith(f"{out}/96: train 24 tiles of 2 scenes, val 24 tiles of 2 scenes, ")
    assert "test 24 tiles of 2 scenes; " in lines[0] and lines[0].endswith(" MB")
    assert lines[1].startswith(f"{out}/96: manifest ") and lines[3].startswith(f"{out}/64: mani")
    assert lines[4] == (
        f"next: python tools/train.py configs/cloudseg_whu-opt-sar.py --data-root {out}/96"
    )
    assert len(lines) == 5
    for text in ("checking: 100%", "6/6", "cutting 96: 100%", "72/72", "120/120"):
        assert text in shown, text

    status, again, shown = tool(scenes, out, *sizes)
    assert status == 0 and "cutting" not in shown and "checking" not in shown
    assert again.splitlines()[:4] == lines[:4]
    assert again.splitlines()[4] == "All tiles exist already: nothing was done."

    status, _, shown = tool(scenes, out, *sizes, "--seed", 1)
    assert status == 1
    assert (
        f"whu_opt_sar: {out}/96: " in shown and "seed: 0 there, 1 now" in shown and "OUT" in shown
    )


def test_check_only_writes_nothing(tool, scenes, tmp_path):
    status, printed, _ = tool(scenes, tmp_path / "out", "--check-only", *SMALL)
    assert status == 0 and not (tmp_path / "out").exists()
    assert printed == f"{scenes}: no problems found; scenes: train 2, val 2, test 2\n"
    assert tool(scenes, "--check-only", *SMALL)[0] == 0


def test_problems_end_in_one_report(tool, scenes, tmp_path):
    status, printed, shown = tool(scenes, tmp_path / "out", "--tile-size", 64)
    assert status == 1 and printed == ""
    assert f"whu_opt_sar: {scenes}: 7 problem(s) with the published set:" in shown
    assert "6 scenes on the lists, expected 100" in shown
    assert tool(scenes, "--check-only", "--tile-size", 64)[0] == 1


def test_listed_scenes_that_are_not_there_are_told(tool, scenes, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    for path in scenes.iterdir():
        (tree / path.name).symlink_to(path)
    (tree / "train_list.txt").unlink()
    (tree / "train_list.txt").write_text((scenes / "train_list.txt").read_text() + "NH50E006001\n")
    status, printed, _ = tool(tree, tmp_path / "out", *SMALL)
    assert status == 0
    assert f"left out: 1 listed scenes that are not in {tree}" in printed.splitlines()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x"], "OUT is missing"),
        (["x", "y", "--tile-size", "100"], "expected a multiple of 32 above 0, found 100"),
        (["x", "y", "--tile-size", "-32"], "expected a multiple of 32 above 0, found -32"),
        (["x", "y", "--val-fraction", "1"], "expected a share above 0 and below 1, found 1"),
        (["x", "y", "--jobs", "0"], "expected a whole number from 1, found 0"),
        (["x", "y", "--seed", "-1"], "expected a whole number from 0, found -1"),
    ],
)
def test_bad_arguments(tool, arguments, message):
    status, _, shown = tool(*arguments)
    assert status == 2 and message in shown


def test_an_out_that_cannot_be_written_ends_in_one_line(tool, scenes, tmp_path):
    (tmp_path / "file").write_text("")
    status, printed, shown = tool(scenes, tmp_path / "file" / "out", *SMALL)
    assert status == 1 and printed == ""
    assert len(shown.splitlines()) == 1 and f"{tmp_path}/file/out" in shown


@pytest.mark.slow
def test_a_full_disk_ends_in_one_line(root, scenes, tmp_path):
    """A limit on the size of files gives the error that a full disk gives, and needs no disk."""
    limit = (5_000, 5_000)
    process = start(
        root, scenes, tmp_path / "out", "--subset", "--tile-size", 128, "--jobs", 2,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )  # fmt: skip
    printed, shown = process.communicate(timeout=120)
    assert process.returncode == 1 and printed == ""
    last = shown.splitlines()[-1]
    assert last.startswith(f"whu_opt_sar: [Errno 27] File too large: '{tmp_path}/out/128/optical/")
    assert last.endswith("; run the same command again to resume") and "Traceback" not in shown
    assert not list((tmp_path / "out").rglob("*.part"))


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_ends_in_one_line_and_the_next_run_goes_on(root, tool, scenes, tmp_path, jobs):
    out = tmp_path / "out"
    arguments = ["--subset", "--tile-size", "32"]
    # A suite that runs in the background of a shell would hand on that Ctrl-C is ignored.
    heed = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = start(
        root, scenes, out, *arguments, "--jobs", jobs, start_new_session=True, preexec_fn=heed
    )
    deadline = time.monotonic() + 300
    while not list(out.glob("32/optical/*.tif")):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.01)
    # As a terminal does it: to the tool and its worker processes at once.
    os.killpg(process.pid, signal.SIGINT)
    printed, shown = process.communicate(timeout=60)
    assert process.returncode == 1 and printed == ""
    assert shown.splitlines()[-1] == "stopped: run the same command again to resume"
    assert "Traceback" not in shown and "Error" not in shown
    assert not (out / "32" / "manifest.csv").exists() and not list(out.rglob("*.part"))
    assert tool(scenes, out, *arguments)[0] == 0
    assert (out / "32" / "manifest.csv").exists()
