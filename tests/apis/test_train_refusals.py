"""What a training or a test refuses before it begins."""

from __future__ import annotations

import pytest
import torch

from mmcloudseg.apis.test import test as run_test
from mmcloudseg.apis.train import train
from mmcloudseg.engine.runs import RunSettings
from mmcloudseg.utils.errors import DataError

pytestmark = pytest.mark.slow


def test_no_teacher_and_none_to_be_trained(mini, distill_config, small_distill, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"tools/train.py .*cloudseg_teacher_mini.py"):
        train(
            distill_config,
            RunSettings(work_dir=str(tmp_path), options=small_distill, data_root=str(mini)),
            auto_teacher=False,
        )


def test_a_teacher_of_other_data_is_refused(mini, root, distill_config, small_distill, tmp_path):
    teacher = tmp_path / "teacher" / "best.pth"
    teacher.parent.mkdir()
    torch.save(dict(meta=dict(data_root="/elsewhere"), state_dict={}), teacher)
    with pytest.raises(
        ValueError, match=r"best\.pth' .*'/elsewhere'.*--work-dir .*--teacher-ckpt"
    ):
        train(
            distill_config,
            RunSettings(work_dir=str(tmp_path), options=small_distill, data_root=str(mini)),
        )
    # Named by the user it is taken, and then refused for what it is.
    with pytest.raises(ValueError, match=r"best\.pth' .*--teacher-ckpt.*lacks \w+\."):
        train(
            distill_config,
            RunSettings(work_dir=str(tmp_path), options=small_distill, data_root=str(mini)),
            teacher_ckpt=str(teacher),
        )


def test_fewer_samples_than_a_batch_are_refused(mini, student_config, small_student, tmp_path):
    options = small_student | {
        "train_dataloader.batch_size": 8,
        "train_dataloader.drop_last": True,
        "train_dataloader.sampler.type": "DefaultSampler",
    }
    with pytest.raises(ValueError, match=r"4 sample.*batch_size=8.*batch_size to 4.*drop_last"):
        train(
            student_config,
            RunSettings(work_dir=str(tmp_path / "run"), options=options, data_root=str(mini)),
        )
    assert not list((tmp_path / "run").glob("*.pth"))


def test_missing_data_root(student_config, small_student, tmp_path):
    with pytest.raises(DataError, match=r"make_mini_m3mcr.py"):
        train(
            student_config,
            RunSettings(work_dir=str(tmp_path), options=small_student, data_root="nowhere"),
        )


def test_a_checkpoint_of_another_model(mini, root, student_config, small_student, tmp_path):
    torch.save(dict(state_dict=dict(x=torch.ones(1))), tmp_path / "x.pth")
    with pytest.raises(
        ValueError, match=r"x\.pth' .*student_mini\.py'.*name the config.*lacks \w+\."
    ):
        run_test(
            student_config,
            str(tmp_path / "x.pth"),
            RunSettings(work_dir=str(tmp_path), options=small_student, data_root=str(mini)),
        )
