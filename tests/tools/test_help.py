from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = [*sorted((ROOT / "tools").glob("**/*.py")), *sorted((ROOT / "projects").glob("*/*.py"))]
TOOLS = [path for path in TOOLS if path.name != "arguments.py"]  # shared by tools, not one


@pytest.mark.parametrize("tool", TOOLS, ids=lambda path: path.stem)
def test_help_is_quick_and_shows_an_example(tool):
    start = time.perf_counter()
    done = subprocess.run([sys.executable, str(tool), "--help"], capture_output=True, text=True)
    seconds = time.perf_counter() - start
    assert done.returncode == 0
    assert "example" in done.stdout
    assert f"python {tool.relative_to(ROOT).as_posix()}" in done.stdout
    assert seconds < 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tools/train.py", "configs/x.py"], "train: config 'configs/x.py' does not exist"),
        (
            ["tools/train.py", "configs/cloudseg_student_mini.py", "--data-root", "nowhere"],
            "make_mini_m3mcr.py",
        ),
        (
            ["tools/benchmark.py", "configs/suites/x.py"],
            "benchmark: suite 'configs/suites/x.py' does not exist",
        ),
        (
            ["tools/test.py", "configs/cloudseg_mini.py", "x.pth"],
            "test: checkpoint 'x.pth' does not exist",
        ),
    ],
)
def test_bad_input_ends_in_one_line(root, tmp_path, arguments, message):
    extra = ["--work-dir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, *arguments, *extra], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
