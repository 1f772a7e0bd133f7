from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from mmcloudseg.apis.ablation import CORNERS, TEACHER, Ablation, format_ablation


@pytest.fixture
def calls(monkeypatch):
    """Replaces the tools: test.py writes a score that tells config and seed."""
    made = []

    def run(command, stdout, env, **_):
        made.append((Path(command[1]).name, command[2:], env["OMP_NUM_THREADS"]))
        if command[1].endswith("test.py"):
            out = Path(command[command.index("--out") + 1])
            out.mkdir(parents=True)
            seed = int(out.parents[1].name.removeprefix("seed_"))
            scores = {"mIoU": 50.0 + seed, "cloudy/mIoU": float(len(out.parent.name))}
            (out / "scores.json").write_text(json.dumps(scores))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return made


def test_runs_every_corner_with_its_seeds_teacher(calls, tmp_path):
    results = Ablation(Path("configs"), "mini", tmp_path, jobs=2).run([0, 4])
    assert list(results) == [TEACHER.title, *(corner.title for corner in CORNERS)]
    assert [run["mIoU"] for run in results["none"]] == [50, 54]
    trained = [arguments for tool, arguments, _ in calls if tool == "train.py"]
    assert len(trained) == 10
    for arguments in trained:
        seed = arguments[arguments.index("--seed") + 1]
        work_dir = Path(arguments[arguments.index("--work-dir") + 1])
        assert work_dir.parent.name == f"seed_{seed}"
        distils = "distill-only" in arguments[0] or arguments[0].endswith("cloudseg_mini.py")
        assert ("--teacher-ckpt" in arguments) == distils
        if distils:
            teacher = Path(arguments[arguments.index("--teacher-ckpt") + 1])
            assert teacher == work_dir.parent / "cloudseg_teacher_mini" / "best.pth"


def test_what_is_finished_is_not_run_again(calls, tmp_path):
    ablation = Ablation(Path("configs"), "mini", tmp_path)
    first = ablation.run([1])
    done = len(calls)
    assert ablation.run([1]) == first
    assert len(calls) == done


def test_a_failed_run_names_its_log(monkeypatch, tmp_path):
    failed = subprocess.CompletedProcess([], 1)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(RuntimeError, match=r"train.py .*failed; see .*train.log"):
        Ablation(Path("configs"), "mini", tmp_path).run([0])


def test_table():
    runs = [{"mIoU": 40.0, "cloudy/mIoU": 30.0}, {"mIoU": 42.0, "cloudy/mIoU": None}]
    last = format_ablation({"both": runs}).splitlines()[-1]
    assert last == "| both | 41.00 ± 1.41 | - | 30.00 ± 0.00 | - | - |"
