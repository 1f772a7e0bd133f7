from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmcloudseg.engine.checkpoints import (
    BEST,
    EARLIER_BEST,
    newest_whole_checkpoint,
    publish_best,
    set_earlier_best_aside,
    training_data,
)


def finish(runner, train: str = "somewhere"):
    runner.train()
    runner.cfg.train_dataloader = dict(dataset=dict(data_root=train))
    said = publish_best(runner)
    return torch.load(Path(runner.work_dir) / BEST, weights_only=True), said


def test_the_last_checkpoint_is_published_without_the_optimiser(small_runner, tmp_path):
    runner = small_runner()
    content, said = finish(runner, train=str(tmp_path))
    last = torch.load(Path(runner.work_dir) / "iter_4.pth", weights_only=True)
    assert content.keys() == {"meta", "state_dict"}
    assert content["state_dict"]["weight"] == last["state_dict"]["weight"]
    assert content["meta"]["iter"] == 4 and content["meta"]["source"] == "iter_4.pth"
    assert content["meta"]["data_root"] == str(tmp_path)
    assert content["meta"]["dataset_meta"]["bands"] == dict(optical=["blue", "nir"], sar=("VV",))
    assert "iter_4.pth" in said and "iter 4" in said


def test_an_earlier_run_s_best_is_not_this_run_s(small_runner, tmp_path):
    earlier = tmp_path / "run" / "best_score_iter_9.pth"
    earlier.parent.mkdir()
    torch.save(dict(meta=dict(iter=9), state_dict=dict(weight=torch.tensor([9.0]))), earlier)
    content, _ = finish(small_runner())
    assert content["meta"]["source"] == "iter_4.pth"


def best_of(runner, folder, best: dict, hub: dict):
    """Publish after a training that noted ``best``, weights by name, and ``hub``."""
    runner.train()
    for name, weight in best.items():
        content = dict(meta=dict(iter=2), state_dict=dict(weight=torch.tensor([weight])))
        torch.save(content, folder / name)
    for key, value in hub.items():
        runner.message_hub.update_info(key, value)
    runner.cfg.train_dataloader = dict(dataset=dict(data_root="x"))
    said = publish_best(runner)
    content = torch.load(folder / BEST, weights_only=True)
    return float(content["state_dict"]["weight"]), said


def test_the_best_of_this_run_is_taken_with_its_score(small_runner):
    runner = small_runner(checkpoint=dict(save_best="score", rule="less"))
    weight, said = best_of(
        runner,
        Path(runner.work_dir),
        {"best_score_iter_2.pth": 2.0, "best_other_iter_4.pth": 4.0},
        # The run may have been moved: the checkpoint is found in its work dir.
        dict(best_ckpt="/moved/away/best_score_iter_2.pth", best_score=0.75),
    )
    assert weight == 2.0
    assert all(part in said for part in ("best_score_iter_2.pth", "best score 0.7500", "iter 2"))


def test_of_several_scores_the_configs_first_counts(small_runner):
    runner = small_runner(checkpoint=dict(save_best=["a", "b"], rule=["less", "greater"]))
    hub = {"best_ckpt_b": "b.pth", "best_score_b": 1, "best_ckpt_a": "a.pth", "best_score_a": 2}
    weight, said = best_of(runner, Path(runner.work_dir), {"a.pth": 1.0, "b.pth": 2.0}, hub)
    assert weight == 1.0 and "best a 2.0000" in said


@pytest.mark.parametrize(
    ("hub", "why"),
    [
        ({}, "no validation gave a number for score"),
        (dict(best_ckpt="gone.pth", best_score=1), "gone.pth, is no longer there"),
    ],
)
def test_without_a_best_one_the_last_is_published_and_said_why(small_runner, hub, why):
    runner = small_runner(checkpoint=dict(save_best="score", rule="less"))
    _, said = best_of(runner, Path(runner.work_dir), {}, hub)
    assert "iter_4.pth" in said and why in said


def test_an_earlier_best_is_set_aside(tmp_path):
    (tmp_path / BEST).write_bytes(b"old")
    set_earlier_best_aside(tmp_path)
    set_earlier_best_aside(tmp_path)
    assert not (tmp_path / BEST).exists()
    assert (tmp_path / EARLIER_BEST).read_bytes() == b"old"


def test_the_newest_is_not_that_of_an_earlier_and_longer_run(tmp_path):
    for name, time, step in (("a", "20250101_000000", 400), ("b", "20250102_000000", 2)):
        content = dict(meta=dict(time=time, iter=step), optimizer={})
        torch.save(content, tmp_path / f"{name}.pth")
    assert newest_whole_checkpoint(Config(dict(work_dir=str(tmp_path)))).name == "b.pth"


def test_checkpoints_are_looked_for_where_the_hook_writes_them(tmp_path):
    folder = tmp_path / "elsewhere" / "run"
    folder.mkdir(parents=True)
    torch.save(dict(meta=dict(iter=2), optimizer={}), folder / "iter_2.pth")
    hooks = dict(checkpoint=dict(out_dir=str(tmp_path / "elsewhere")))
    cfg = Config(dict(work_dir=str(tmp_path / "run"), default_hooks=hooks))
    assert newest_whole_checkpoint(cfg) == folder / "iter_2.pth"


def test_a_run_that_saves_nothing_is_published_from_the_model(small_runner):
    runner = small_runner(checkpoint=dict(interval=-1, save_last=False))
    content, _ = finish(runner)
    assert content["state_dict"]["weight"] == runner.model.weight.detach()
    assert content["meta"]["iter"] == 4


def test_the_newest_readable_checkpoint_is_resumed_from(small_runner):
    runner = small_runner(checkpoint=dict(max_keep_ckpts=2))
    runner.train()
    folder = Path(runner.work_dir)
    cfg = Config(dict(work_dir=str(folder)))
    assert newest_whole_checkpoint(cfg) == folder / "iter_4.pth"
    cut = (folder / "iter_4.pth").read_bytes()
    (folder / "iter_4.pth").write_bytes(cut[: len(cut) // 2])
    assert newest_whole_checkpoint(cfg) == folder / "iter_2.pth"
    (folder / "last_checkpoint").write_text(str(folder / "iter_0.pth"))
    shutil.copy(folder / "iter_2.pth", folder / "renamed.pth")
    (folder / "iter_2.pth").unlink()
    assert newest_whole_checkpoint(cfg) == folder / "renamed.pth"
    (folder / "renamed.pth").unlink()
    assert newest_whole_checkpoint(cfg) is None


@pytest.mark.parametrize(
    ("dataset", "folders"),
    [
        (dict(data_root="a"), ["a"]),
        (dict(data_prefix=dict(img_path="b/optical")), ["b/optical"]),
        (dict(type="RepeatDataset", times=2, dataset=dict(data_root="a")), ["a"]),
        (
            dict(
                type="ConcatDataset",
                datasets=[dict(data_root="a"), dict(dataset=dict(data_root="c"))] * 2,
            ),
            ["a", "c"],
        ),
    ],
)
def test_training_data_of_any_dataset(dataset, folders):
    cfg = Config(dict(train_dataloader=dict(dataset=dataset)))
    assert training_data(cfg) == "; ".join(str(Path(folder).resolve()) for folder in folders)
