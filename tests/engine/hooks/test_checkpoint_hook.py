from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.evaluator import BaseMetric
from mmengine.logging import HistoryBuffer

from mmcloudseg.engine.checkpoints import newest_whole_checkpoint
from mmcloudseg.engine.hooks.checkpoint_hook import CheckpointBackend


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_a_checkpoint_reads_back_as_plain_values_without_this_package(small_runner):
    runner = small_runner()
    runner.train()
    path = Path(runner.work_dir) / "iter_4.pth"
    code = (
        "import sys, torch\n"
        f"meta = torch.load({str(path)!r}, weights_only=True)['meta']['dataset_meta']\n"
        "assert 'mmengine' not in sys.modules\n"
        "print(meta)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == str(
        dict(
            classes=("water", "land"),
            bands=dict(optical=["blue", "nir"], sar=("VV",)),
            folder="data",
            weights=0.5,
            counts=[0, 1],
            absent={None: None},
        )
    ), done.stderr


def test_a_resumed_run_has_its_log_and_its_optimiser(small_runner):
    first = small_runner()
    first.train()
    again = small_runner(max_iters=6, resume=True)
    again.train()
    assert again.iter == 6
    losses = again.message_hub.get_scalar("train/loss")
    assert isinstance(losses, HistoryBuffer)
    before = first.message_hub.get_scalar("train/loss").data[0].tolist()
    assert losses.data[0].tolist()[:4] == before and len(losses.data[0]) == 6
    assert [name for name in names(Path(again.work_dir)) if "iter" in name] == ["iter_6.pth"]


class Killed(BaseException):
    """As SIGKILL does, it ends the run where it is."""


@pytest.mark.parametrize("moment", ["half-written", "before the old one goes"])
def test_a_kill_while_saving_leaves_a_checkpoint_to_resume_from(small_runner, monkeypatch, moment):
    write_bytes, remove = Path.write_bytes, CheckpointBackend.remove

    def write_half(path, content):
        if path.name.startswith(".iter_4.pth"):
            write_bytes(path, content[: len(content) // 2])
            raise Killed
        return write_bytes(path, content)

    def stop_at_removal(backend, path):
        if not backend._depth:
            raise Killed
        remove(backend, path)

    if moment == "half-written":
        monkeypatch.setattr(Path, "write_bytes", write_half)
        # SIGKILL gives nobody the time to tidy up.
        monkeypatch.setattr(Path, "unlink", lambda path, missing_ok=False: None)
    else:
        monkeypatch.setattr("mmengine.fileio.LocalBackend.remove", stop_at_removal)
    runner = small_runner()
    with pytest.raises(Killed):
        runner.train()
    monkeypatch.undo()
    folder = Path(runner.work_dir)
    expected = "iter_2.pth" if moment == "half-written" else "iter_4.pth"
    assert "iter_2.pth" in names(folder)
    checkpoint = newest_whole_checkpoint(Config(dict(work_dir=runner.work_dir)))
    assert checkpoint == folder / expected

    again = small_runner(resume=True, load_from=str(checkpoint))
    again.train()
    assert again.iter == 4
    assert not list(folder.glob("*.part")) and not list(folder.glob(".*.part"))


def test_what_cannot_be_read_back_never_gets_the_name(tmp_path):
    (tmp_path / "iter_2.pth").write_bytes(b"old")
    with pytest.raises(OSError, match=r"iter_2\.pth.*free disk space.*resume"):
        CheckpointBackend().put(b"no checkpoint", tmp_path / "iter_2.pth")
    assert (tmp_path / "iter_2.pth").read_bytes() == b"old"
    assert names(tmp_path) == ["iter_2.pth"]


def test_removals_wait_for_the_end_and_are_dropped_after_an_error(tmp_path):
    backend = CheckpointBackend()
    for name in "ab":
        (tmp_path / name).touch()
    with pytest.raises(RuntimeError), backend.removals_last():
        backend.remove(tmp_path / "a")
        raise RuntimeError
    with backend.removals_last(), backend.removals_last():
        backend.remove(tmp_path / "b")
        assert names(tmp_path) == ["a", "b"]
    assert names(tmp_path) == ["a"]


def test_metainfo_of_mmengines_own_hook_still_loads(tmp_path):
    meta = dict(bands=ConfigDict(optical=["blue"], nested=dict(a=1)))
    torch.save(dict(meta=meta, state_dict={}), tmp_path / "old.pth")
    assert torch.load(tmp_path / "old.pth", weights_only=True)["meta"]["bands"].nested.a == 1


class Scores(BaseMetric):
    """Gives the scores of one validation after the other."""

    def __init__(self, values: list[float]) -> None:
        super().__init__()
        self.values = list(values)

    def process(self, data_batch, data_samples):
        self.results.append(None)

    def compute_metrics(self, results):
        return {"cloudy/mIoU": self.values.pop(0), "error": 1.0}


def validated(small_runner, values, max_iters=4, **settings):
    """A training that validates every second iteration."""
    loader = dict(
        dataset=torch.zeros(1), batch_size=1, sampler=dict(type="DefaultSampler", shuffle=False)
    )
    runner = small_runner(
        max_iters=max_iters,
        train_cfg=dict(type="IterBasedTrainLoop", max_iters=max_iters, val_interval=2),
        val_cfg=dict(), val_dataloader=loader, val_evaluator=[Scores(values)],
        **settings,
    )  # fmt: skip
    runner.model.val_step = lambda batch: [{}]
    runner.train()
    return runner.message_hub.runtime_info


def test_a_score_of_a_region_and_a_number_that_is_none(small_runner):
    hub = validated(small_runner, [0.5, math.nan], checkpoint=dict(save_best="cloudy/mIoU"))
    assert hub["best_ckpt"].endswith("best_cloudy_mIoU_iter_2.pth") and hub["best_score"] == 0.5


def test_the_best_by_another_score_does_not_outlast_a_stop(small_runner):
    validated(small_runner, [0.9, 0.8], checkpoint=dict(save_best="cloudy/mIoU"))
    less = dict(save_best="cloudy/mIoU", rule="less")
    hub = validated(small_runner, [1.0], 6, checkpoint=less, resume=True)
    assert hub["best_score"] == 1.0 and hub["best_ckpt"].endswith("iter_6.pth")


def test_the_best_by_the_same_score_does(small_runner):
    asked = dict(save_best=["cloudy/mIoU", "error"], rule=["greater", "less"])
    validated(small_runner, [0.9, 0.8], checkpoint=asked)
    hub = validated(small_runner, [0.5], 6, checkpoint=asked, resume=True)
    assert hub["best_score_cloudy/mIoU"] == 0.9
    assert hub["best_ckpt_cloudy/mIoU"].endswith("iter_2.pth")


def test_a_score_that_validation_does_not_give(small_runner):
    with pytest.raises(ValueError, match=r"save_best asks for mIoU.*cloudy/mIoU, error"):
        validated(small_runner, [0.5], checkpoint=dict(save_best="mIoU"))
