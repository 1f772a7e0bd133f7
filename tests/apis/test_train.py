"""Whole trainings: teacher first, resume, determinism."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from mmengine.runner import IterBasedTrainLoop
from mmseg.registry import MODELS

from mmcloudseg.apis.test import test as run_test
from mmcloudseg.apis.train import train
from mmcloudseg.engine.configs import load_config
from mmcloudseg.engine.runs import RunSettings

pytestmark = pytest.mark.slow


def logged(work_dir: Path, key: str) -> list:
    """A value of every training iteration, in order, over all runs in a work dir."""
    values = []
    for path in sorted(work_dir.glob("2*/vis_data/scalars.json")):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        values += [line[key] for line in lines if key in line and "lr" in line]
    return values


def test_teacher_first_then_student(
    root, mini, distill_config, student_config, small_distill, small_student, tmp_path
):
    work_dir = tmp_path / "run"
    best = train(
        distill_config,
        RunSettings(work_dir=str(work_dir), options=small_distill, data_root=str(mini)),
    )
    assert best == work_dir / "best.pth"
    assert (work_dir / "teacher" / "best.pth").is_file()
    teacher_log = next((work_dir / "teacher").glob("2*/*.log")).read_text()
    assert "distill.loss_kd" not in teacher_log
    assert len(logged(work_dir, "distill.loss_kd")) == 4

    # Every checkpoint is a plain student: no teacher, no prefix.
    student = load_config(student_config, small_student).model
    keys = MODELS.build(student).state_dict().keys()
    for path in (best, work_dir / "iter_4.pth"):
        assert torch.load(path, weights_only=True)["state_dict"].keys() == keys

    # The second time the teacher is there.
    stamp = (work_dir / "teacher" / "best.pth").stat().st_mtime_ns
    train(
        distill_config,
        RunSettings(work_dir=str(work_dir), options=small_distill, data_root=str(mini)),
        auto_teacher=False,
    )
    assert (work_dir / "teacher" / "best.pth").stat().st_mtime_ns == stamp

    scores = [
        run_test(
            config,
            str(best),
            RunSettings(
                work_dir=str(tmp_path / "test"), options=small_student, data_root=str(mini)
            ),
            show_dir=str(tmp_path / "pictures"),
            out_dir=str(tmp_path / name),
        )
        for name, config in (("a", distill_config), ("b", student_config))
    ]
    assert scores[0] == pytest.approx(scores[1], nan_ok=True)
    assert {"mIoU", "cloudy/mIoU", "cloud_free/mIoU", "cloud_removal/PSNR"} <= scores[0].keys()
    written = json.loads((tmp_path / "a" / "scores.json").read_text())
    assert written["mIoU"] == pytest.approx(scores[0]["mIoU"])
    assert len(list((tmp_path / "a" / "label_maps").glob("*.tif"))) == 2
    assert (tmp_path / "pictures" / "overview.png").stat().st_size > 10_000


def test_the_same_seed_gives_the_same_run(mini, student_config, small_student, tmp_path):
    losses, scores = {}, {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        best = train(
            student_config,
            RunSettings(
                work_dir=str(tmp_path / name),
                options=small_student,
                seed=seed,
                data_root=str(mini),
            ),
        )
        losses[name] = logged(tmp_path / name, "loss")
        scores[name] = run_test(
            student_config,
            str(best),
            RunSettings(
                work_dir=str(tmp_path / name / "test"), options=small_student, data_root=str(mini)
            ),
        )
    assert len(losses["a"]) == 4
    assert losses["a"] == losses["b"] != losses["c"]
    assert scores["a"] == pytest.approx(scores["b"], rel=0, abs=0, nan_ok=True)


def test_resume_goes_on_where_it_was(mini, student_config, small_student, tmp_path, monkeypatch):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    arguments = dict(options=small_student, data_root=str(mini))
    train(student_config, RunSettings(work_dir=str(whole), **arguments))

    run_iter = IterBasedTrainLoop.run_iter

    def stop_at_the_third(loop, batch):
        if loop._iter == 2:
            raise KeyboardInterrupt
        run_iter(loop, batch)

    monkeypatch.setattr(IterBasedTrainLoop, "run_iter", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        train(student_config, RunSettings(work_dir=str(cut), **arguments))
    monkeypatch.undo()
    assert not (cut / "best.pth").exists()
    halfway = torch.load(cut / "iter_2.pth", weights_only=True)

    train(student_config, RunSettings(work_dir=str(cut), **arguments), resume=True)
    assert logged(cut, "iter") == logged(whole, "iter") == [1, 2, 3, 4]
    assert logged(cut, "lr") == pytest.approx(logged(whole, "lr"))
    ends = {
        name: torch.load(folder / "iter_4.pth", weights_only=True)
        for name, folder in (("whole", whole), ("cut", cut))
    }
    assert ends["cut"]["meta"]["iter"] == ends["whole"]["meta"]["iter"] == 4
    # The best score before the stop is still known after it.
    best = ends["cut"]["message_hub"]["runtime_info"]["best_score"]
    assert best >= halfway["message_hub"]["runtime_info"]["best_score"]
    steps = ends["cut"]["optimizer"]["state"][0]["step"]
    assert steps == ends["whole"]["optimizer"]["state"][0]["step"] == 4


def test_a_cut_teacher_is_finished_first(mini, distill_config, small_distill, tmp_path):
    work_dir = tmp_path / "run"
    teacher = work_dir / "teacher"
    train(
        distill_config,
        RunSettings(work_dir=str(work_dir), options=small_distill, data_root=str(mini)),
    )
    (teacher / "best.pth").unlink()  # as if its training had been cut short at the end
    train(
        distill_config,
        RunSettings(work_dir=str(work_dir), options=small_distill, data_root=str(mini)),
        resume=True,
    )
    assert (teacher / "best.pth").is_file()
    logs = sorted(teacher.glob("2*/*.log"))
    assert "resumed epoch: 0, iter: 4" in logs[-1].read_text()


def test_overfit_validates_on_the_training_samples(mini, student_config, small_student, tmp_path):
    (mini / "train.csv").read_text()
    best = train(
        student_config,
        RunSettings(
            work_dir=str(tmp_path), options=small_student, data_root=str(mini), overfit=True
        ),
    )
    scores = run_test(
        student_config,
        str(best),
        RunSettings(
            work_dir=str(tmp_path / "test"),
            options=small_student,
            data_root=str(mini),
            overfit=True,
        ),
        out_dir=str(tmp_path / "out"),
    )
    assert len(list((tmp_path / "out" / "label_maps").glob("*.tif"))) == 4
    assert scores["aAcc"] > 0


def test_mmsegs_own_segformer_on_the_same_data(mini, root, few_iterations, tmp_path):
    config = str(root / "configs/baselines/segformer_mit-b0_mini.py")
    best = train(
        config, RunSettings(work_dir=str(tmp_path), options=few_iterations, data_root=str(mini))
    )
    scores = run_test(
        config,
        str(best),
        RunSettings(work_dir=str(tmp_path / "test"), options=few_iterations, data_root=str(mini)),
    )
    assert 0 <= scores["cloudy/mIoU"] <= 100
    assert logged(tmp_path, "decode.loss_ce")[-1] < 2.5
