from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmcloudseg.engine.checkpoints import (
    BEST,
    newest_whole_checkpoint,
    publish_best,
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


def test_the_best_of_this_run_is_taken_with_its_score(small_runner):
    runner = small_runner()
    runner.train()
    folder = Path(runner.work_dir)
    for name, weight in (("best_score_iter_2.pth", 2.0), ("best_other_iter_4.pth", 4.0)):
        meta = dict(iter=int(weight))
        torch.save(dict(meta=meta, state_dict=dict(weight=torch.tensor([weight]))), folder / name)
    hub = runner.message_hub
    hub.update_info("best_ckpt", "/moved/away/best_score_iter_2.pth")  # found in the work dir
    hub.update_info("best_score", 0.75)
    runner.cfg.train_dataloader = dict(dataset=dict(data_root="x"))
    said = publish_best(runner)
    content = torch.load(folder / BEST, weights_only=True)
    assert content["state_dict"]["weight"] == 2.0
    assert "best_score_iter_2.pth" in said and "0.7500" in said and "iter 2" in said


def test_a_run_that_saves_nothing_is_published_from_the_model(small_runner):
    runner = small_runner(checkpoint=dict(interval=-1, save_last=False))
    content, _ = finish(runner)
    assert content["state_dict"]["weight"] == runner.model.weight.detach()
    assert content["meta"]["iter"] == 4


def test_the_newest_readable_checkpoint_is_resumed_from(small_runner):
    runner = small_runner(checkpoint=dict(max_keep_ckpts=2))
    runner.train()
    folder = Path(runner.work_dir)
    assert newest_whole_checkpoint(folder) == folder / "iter_4.pth"
    cut = (folder / "iter_4.pth").read_bytes()
    (folder / "iter_4.pth").write_bytes(cut[: len(cut) // 2])
    assert newest_whole_checkpoint(folder) == folder / "iter_2.pth"
    (folder / "last_checkpoint").write_text(str(folder / "iter_0.pth"))
    shutil.copy(folder / "iter_2.pth", folder / "renamed.pth")
    (folder / "iter_2.pth").unlink()
    assert newest_whole_checkpoint(folder) == folder / "renamed.pth"
    (folder / "renamed.pth").unlink()
    assert newest_whole_checkpoint(folder) is None


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
