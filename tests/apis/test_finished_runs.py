"""What a training that has finished leaves behind, and what it refuses to start with."""

from __future__ import annotations

import pytest
import torch
from mmengine.runner import IterBasedTrainLoop

from mmcloudseg.apis.test import test as run_test
from mmcloudseg.apis.train import train
from mmcloudseg.engine.runs import RunSettings

pytestmark = pytest.mark.slow


@pytest.fixture
def student_config(root):
    return str(root / "configs/cloudseg_student_mini.py")


OWN_DATA = """_base_ = [{base!r}]
one = dict(_base_.train_dataloader.dataset, data_root={root!r}, metainfo=dict(
    classes=('forest', 'water'), palette=[[0, 100, 0], [0, 0, 200]],
    bands=dict(optical=['blue', 'green', 'red', 'nir'], sar=['VV', 'VH'])))
train_dataloader = dict(dataset=dict(_delete_=True, type='ConcatDataset', datasets=[one, one]))
val_dataloader = dict(dataset=dict(_delete_=True, **one))
test_dataloader = val_dataloader
model = dict(decode_head=dict(num_classes=2))
"""


def test_own_metainfo_and_joined_datasets_train_resume_and_test(
    mini, root, small_student, tmp_path
):
    config = tmp_path / "own.py"
    base = str(root / "configs/cloudseg_none_mini.py")
    config.write_text(OWN_DATA.format(base=base, root=str(mini)))
    options = dict(small_student)
    best = train(str(config), RunSettings(work_dir=str(tmp_path / "run"), options=options))
    meta = torch.load(best, weights_only=True)["meta"]
    assert type(meta["dataset_meta"]["bands"]) is dict
    assert meta["data_root"] == str(mini)
    options["train_cfg.max_iters"] = 6
    best = train(
        str(config), RunSettings(work_dir=str(tmp_path / "run"), options=options), resume=True
    )
    last = torch.load(tmp_path / "run" / "iter_6.pth", weights_only=True)
    assert len(last["message_hub"]["log_scalars"]["train/loss"]["log_history"]) == 6
    scores = run_test(
        str(config), str(best), RunSettings(work_dir=str(tmp_path / "test"), options=options)
    )
    assert 0 <= scores["mIoU"] <= 100


def test_a_second_run_publishes_its_own_weights(mini, student_config, small_student, tmp_path):
    run = dict(options=small_student, data_root=str(mini))
    first = torch.load(
        train(student_config, RunSettings(work_dir=str(tmp_path), seed=1, **run)),
        weights_only=True,
    )
    unscored = dict.fromkeys(("val_cfg", "val_dataloader", "val_evaluator"))
    run["options"] = small_student | unscored | {"default_hooks.checkpoint.save_best": None}
    del run["options"]["train_cfg.val_interval"]
    run["options"] = {
        k: v for k, v in run["options"].items() if not k.startswith("val_dataloader.")
    }
    second = torch.load(
        train(student_config, RunSettings(work_dir=str(tmp_path), seed=2, **run)),
        weights_only=True,
    )
    assert first["meta"]["source"].startswith("best_")
    assert second["meta"]["source"] == "iter_4.pth" and second["meta"]["seed"] == 2


def test_an_unfinished_second_run_has_no_best_and_is_the_one_resumed(
    mini, student_config, small_student, tmp_path, monkeypatch
):
    run = dict(work_dir=str(tmp_path), data_root=str(mini))
    longer = small_student | {"train_cfg.max_iters": 6}
    first = train(student_config, RunSettings(options=longer, seed=1, **run))
    old = first.read_bytes()
    run_iter = IterBasedTrainLoop.run_iter

    def stop_at_the_third(loop, batch):
        if loop._iter == 2:
            raise KeyboardInterrupt
        run_iter(loop, batch)

    monkeypatch.setattr(IterBasedTrainLoop, "run_iter", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        train(student_config, RunSettings(options=small_student, seed=2, **run))
    monkeypatch.undo()
    assert not first.exists() and (tmp_path / "earlier_best.pth").read_bytes() == old

    # iter_6.pth of the first run is still there.
    settings = RunSettings(options=small_student, seed=2, **run)
    meta = torch.load(train(student_config, settings, resume=True), weights_only=True)["meta"]
    assert meta["seed"] == 2 and meta["iter"] <= 4
