"""MMRazor is imported when a distillation is built or its types are named, and not before."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS

import mmcloudseg.models.distillation as distillation
from mmcloudseg.models.distillation import CloudFreeTeacherDistill

START = """
import sys
import mmcloudseg
import mmcloudseg.apis, mmcloudseg.datasets, mmcloudseg.evaluation, mmcloudseg.models
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from mmcloudseg.engine.configs import load_config, student_only

init_default_scope("mmseg")
path = "configs/cloudseg_mini.py"
cfg = load_config(path)
MODELS.build(student_only(cfg).model)
assert "mmrazor" not in sys.modules
"""
BUILT = "MODELS.build(cfg.model)"
NAMED = """
from mmseg.registry import HOOKS

load_config(path, {"custom_hooks": [dict(type="mmrazor.StopDistillHook", stop_epoch=1)]})
assert HOOKS.get("mmrazor.StopDistillHook").__module__.startswith("mmrazor.")
"""


@pytest.mark.parametrize("use", [BUILT, NAMED])
def test_a_fresh_process(root, use):
    """Importing the package and building a student does not import it."""
    code = START + use + "\nassert 'mmrazor' in sys.modules\n"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'Teacher'"):
        distillation.Teacher  # noqa: B018


@pytest.mark.parametrize(
    "name",
    [
        "CloudFreeTeacherDistill",
        "mmseg.CloudFreeTeacherDistill",
        "mmcloudseg.models.distillation.cloud_free_teacher.CloudFreeTeacherDistill",
    ],
)
def test_a_dumped_config_builds_the_class(small_models, tmp_path, name):
    cfg = Config(dict(model=dict(small_models.distill, type=name)))
    cfg.dump(tmp_path / "dumped.py")
    again = Config.fromfile(tmp_path / "dumped.py")
    assert isinstance(MODELS.build(again.model), CloudFreeTeacherDistill)


def test_a_config_with_the_class_itself(small_models):
    model = MODELS.build(dict(small_models.distill, type=CloudFreeTeacherDistill))
    assert isinstance(model, CloudFreeTeacherDistill)


@pytest.mark.parametrize("how", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_is_a_plain_student_in_checkpoints(small_models, how):
    """MMEngine's moving average of weights, for one, works on a copy."""
    model = MODELS.build(small_models.distill)
    again = how(model)
    assert again.state_dict().keys() == MODELS.build(small_models.student).state_dict().keys()
    again.load_state_dict({k: torch.zeros_like(v) for k, v in model.state_dict().items()})
    assert not again.architecture.decode_head.conv_seg.weight.any()
    assert model.architecture.decode_head.conv_seg.weight.any()
