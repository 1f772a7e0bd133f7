from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mmcloudseg.apis.benchmark import BenchmarkSettings, benchmark
from mmcloudseg.benchmark.run import plan_runs
from mmcloudseg.benchmark.runner import Processes, Runner
from mmcloudseg.benchmark.suite import SuiteError


class Tools:
    """Stands for the tools: leaves what they leave, fails where asked, remembers."""

    def __init__(self, fails: tuple[str, ...] = ()) -> None:
        self.fails, self.made = fails, []
        self.lock = threading.Lock()

    def __call__(self, command, log: Path, environment) -> int:
        name = Path(command[1]).stem
        with self.lock:
            self.made.append((name, log.parent, list(command[2:]), environment))
        if f"{log.parent.name} {name}" in self.fails:
            return 3
        made = dict(
            train="best.pth", test="test/scores.json", robustness="robustness/robustness.json"
        )
        path = log.parent / made[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
        return 0

    def of(self, name: str) -> list[tuple[Path, list[str]]]:
        return [(folder, arguments) for made, folder, arguments, _ in self.made if made == name]


def value(arguments: list[str], option: str) -> str:
    return arguments[arguments.index(option) + 1]


def test_every_method_with_every_seed_and_its_teacher(suite, tmp_path):
    tools = Tools()
    runs = plan_runs(suite, tmp_path, {"train_cfg.max_iters": 2}, data_root="data/x")
    assert Runner(jobs=2, call=tools).run(runs) == {}
    trained = tools.of("train")
    assert len(trained) == 6
    # Teachers first, then seed by seed.
    assert [run.name for run in runs[:3]] == ["teacher, seed 0", "teacher, seed 4", "sar, seed 0"]
    for folder, arguments in trained:
        assert folder == Path(value(arguments, "--work-dir"))
        assert folder.parent.name == f"seed_{value(arguments, '--seed')}"
        assert value(arguments, "--data-root") == "data/x"
        assert "--resume" in arguments and "train_cfg.max_iters=2" in arguments
        assert ("--teacher-ckpt" in arguments) == (folder.name == "student")
        if folder.name == "student":
            teacher = folder.parent / "teacher" / "best.pth"
            assert value(arguments, "--teacher-ckpt") == str(teacher)
            order = [(name, made) for name, made, *_ in tools.made]
            assert order.index(("test", teacher.parent)) < order.index(("train", folder))
        assert ("model.backbone.modalities=[sar]" in arguments) == (folder.name == "sar")
    for folder, arguments in tools.of("test"):
        assert arguments[1] == str(folder / "best.pth")
        assert value(arguments, "--out") == str(folder / "test")
        assert ("model.backbone.modalities=[sar]" in arguments) == (folder.name == "sar")
    threads = {environment["OMP_NUM_THREADS"] for *_, environment in tools.made}
    assert threads == {str(max(os.cpu_count() // 2, 1))}
    record = json.loads((tmp_path / "seed_4/sar/benchmark.json").read_text())
    assert set(record["seconds"]) == {"train", "test"}
    assert record["config"] == "segformer_mit-b0_mini.py"


def test_robustness_of_listed_methods(suite, tmp_path):
    tools = Tools()
    suite = replace(suite, robustness=dict(covers=[0, 50], kinds=["thick", "fog"]))
    Runner(call=tools).run(plan_runs(suite, tmp_path, {}))
    asked = tools.of("robustness")
    assert sorted(folder.name for folder, _ in asked) == ["sar", "sar", "student", "student"]
    for folder, arguments in asked:
        assert value(arguments, "--out") == str(folder / "robustness")
        at = arguments.index("--covers")
        assert arguments[at : at + 6] == ["--covers", "0", "50", "--kinds", "thick", "fog"]
    # Other points than those measured: that step alone is run again.
    again = Tools()
    suite = replace(suite, robustness=dict(covers=[0, 100], kinds=["thick", "fog"]))
    Runner(call=again).run(plan_runs(suite, tmp_path, {}))
    assert {name for name, *_ in again.made} == {"robustness"}
    assert len(again.made) == 4


def test_what_is_finished_is_not_run_again(suite, tmp_path):
    runs = plan_runs(suite, tmp_path, {})
    Runner(call=Tools()).run(runs)
    (tmp_path / "seed_4/sar/test/scores.json").unlink()
    (tmp_path / "seed_0/student/best.pth").unlink()
    tools = Tools()
    Runner(call=tools).run(runs)
    steps = sorted(
        (name, f"{folder.parent.name}/{folder.name}") for name, folder, *_ in tools.made
    )
    assert steps == [("test", "seed_4/sar"), ("train", "seed_0/student")]
    tools.made.clear()
    assert Runner(call=tools).run(runs) == {}
    assert tools.made == []


def test_a_failed_run_does_not_stop_the_others(suite, tmp_path):
    tools = Tools(fails=("teacher train",))
    failed = Runner(jobs=2, call=tools).run(plan_runs(suite, tmp_path, {}))
    assert failed[tmp_path / "seed_0/teacher"] == (
        f"train failed (status 3); see {tmp_path / 'seed_0/teacher/train.log'}"
    )
    assert failed[tmp_path / "seed_4/student"].startswith("its teacher failed")
    assert len(failed) == 4
    assert [folder.name for folder, _ in tools.of("test")] == ["sar", "sar"]


def test_a_student_needs_its_teachers_weights_only(suite, tmp_path):
    failed = Runner(call=Tools(fails=("teacher test",))).run(plan_runs(suite, tmp_path, {}))
    assert sorted(folder.name for folder in failed) == ["teacher", "teacher"]


def test_runs_of_other_options_are_not_taken_for_these(suite, tmp_path):
    Runner(call=Tools()).run(plan_runs(suite, tmp_path, {"train_cfg.max_iters": 2}))
    run = plan_runs(suite, tmp_path, {})[0]
    assert "train_cfg.max_iters=2" in run.conflict()
    assert "choose another --work-dir" in run.conflict()
    assert plan_runs(suite, tmp_path, {"train_cfg.max_iters": 2})[0].conflict() is None


def test_an_interrupt_starts_no_further_run(suite, tmp_path, capsys):
    runner, called = Runner(), []

    def call(command, log, environment):
        called.append(log.parent)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        while not runner.processes.stopped:
            time.sleep(0.01)
        return -signal.SIGTERM

    runner.call = call
    with pytest.raises(KeyboardInterrupt):
        runner.run(plan_runs(suite, tmp_path, {}))
    assert len(called) == 1
    assert [path.parent for path in tmp_path.rglob("benchmark.json")] == called
    assert "FAILED" not in "".join(capsys.readouterr())


def test_students_wait_for_their_teacher_though_a_job_is_free(suite, tmp_path):
    order = []

    def call(command, log, environment):
        order.append((log.parent.name, Path(command[1]).stem))
        time.sleep(0.05)
        return 1

    failed = Runner(jobs=8, call=call).run(plan_runs(suite, tmp_path, {}))
    assert len(failed) == 6 and ("student", "train") not in order
    assert sorted(order) == [("sar", "train")] * 2 + [("teacher", "train")] * 2


def test_a_stop_ends_children_and_their_children(tmp_path):
    script = (
        "import subprocess, sys, time; "
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        "print(p.pid, flush=True); time.sleep(60)"
    )
    processes, log = Processes(), tmp_path / "x.log"
    status = []
    thread = threading.Thread(
        target=lambda: status.append(processes.call([sys.executable, "-c", script], log, {}))
    )
    thread.start()
    while not (log.is_file() and log.read_text().strip()):
        time.sleep(0.02)
    grandchild = Path(f"/proc/{log.read_text().strip()}")
    processes.stop()
    thread.join(10)
    assert status and status[0] < 0
    deadline = time.monotonic() + 5
    while _runs(grandchild) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(grandchild)
    assert processes.call([sys.executable, "-c", script], log, {}) < 0  # none starts any more


def _runs(process: Path) -> bool:
    try:
        return "State:\tZ" not in (process / "status").read_text()
    except OSError:
        return False


def test_the_report_is_made_of_what_did_not_fail(
    write_suite, leave_run, tmp_path, monkeypatch, capsys
):
    work = tmp_path / "work"
    leave_run(work / "seed_0/sar", {"mIoU": 50.0, "cloudy/mIoU": 40.0})
    (work / "seed_0/sar/best.pth").touch()
    fails = ("sar train", "teacher train")
    monkeypatch.setattr(
        "mmcloudseg.benchmark.workflow.Runner", lambda jobs: Runner(jobs, call=Tools(fails))
    )
    suite, settings = str(write_suite()), BenchmarkSettings(work_dir=str(work), cost=False)
    failed = benchmark(suite, settings)
    assert len(failed) == 5
    log = work / "seed_4/sar/train.log"
    assert f"sar: train failed (status 3); see {log}" in capsys.readouterr().err
    text = (work / "report/leaderboard.md").read_text()
    cells = [cell.strip() for cell in text.splitlines()[-1].strip("|").split("|")]
    assert cells == ["SAR", "40.00", "50.00"]
    assert "student, seed 0 (its teacher failed)" in text
    assert "sar, seed 4 (train failed (status 3))" in text and str(work) not in text

    assert benchmark(suite, replace(settings, report_only=True)) == {}
    assert "sar, seed 4 (not finished)" in (work / "report/leaderboard.md").read_text()
    with pytest.raises(SuiteError, match=rf"{tmp_path}/new: .*--report-only .*--work-dir"):
        benchmark(suite, BenchmarkSettings(work_dir=str(tmp_path / "new"), report_only=True))
    with pytest.raises(SuiteError, match=r"seed_4/sar: was made with options=.*--work-dir"):
        benchmark(suite, replace(settings, options=["train_cfg.max_iters=3"]))


@pytest.mark.slow
def test_a_whole_benchmark(mini, write_suite, suite_text, tmp_path, capsys):
    text = suite_text.replace("student=", "nobody=")  # two configs without distillation
    text = text.replace("cloudseg_mini.py", "cloudseg_none_mini.py").replace(
        ', teacher="teacher"', ""
    )
    text = text.replace(
        '    teacher=dict(title="Teacher", config="cloudseg_teacher_mini.py", listed=False),\n', ""
    )
    options = ["train_cfg.max_iters=2", "train_cfg.val_interval=2"]
    for name in ("train", "val", "test"):
        options += [
            f"{name}_dataloader.num_workers=0",
            f"{name}_dataloader.persistent_workers=False",
        ]
    settings = BenchmarkSettings(
        str(tmp_path / "work"), data_root=str(mini), options=options, jobs=2
    )
    assert benchmark(str(write_suite(text)), settings) == {}
    report = tmp_path / "work/report"
    assert {path.name for path in report.iterdir()} == {
        "leaderboard.md",
        "leaderboard.csv",
        "differences.md",
        "environment.txt",
        "score_over_cover.png",
        "accuracy_over_cost.png",
        "class_bars.png",
        "calibration.png",
    }
    assert "2 methods on mini M3M-CR, with 2 seed(s) each" in capsys.readouterr().out
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").glob("seed_*/*/*.log")}
    assert len(stamps) == 8
    assert benchmark(str(tmp_path / "trial.py"), settings) == {}
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())
