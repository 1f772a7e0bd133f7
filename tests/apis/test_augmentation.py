"""The pipeline of docs/augmentation.md trains teacher and student to the end."""

from __future__ import annotations

import json
import math
import re

import pytest

from mmcloudseg.apis.train import train
from mmcloudseg.engine.runs import RunSettings

pytestmark = pytest.mark.slow


def test_the_documented_pipeline_trains_with_distillation(root, mini, small_distill, tmp_path):
    page = (root / "docs/augmentation.md").read_text()
    text = re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
    text = text.replace("cloudseg_m3mcr.py", str(root / "configs/cloudseg_mini.py"))
    teacher = root / "configs/cloudseg_teacher_mini.py"
    config = tmp_path / "augmented.py"
    config.write_text(text + f"teacher_config = '{teacher}'\n")
    run = RunSettings(work_dir=str(tmp_path / "run"), options=small_distill, data_root=str(mini))
    assert train(str(config), run).is_file()

    assert "type='Geometric'" in next((tmp_path / "run").glob("*.py")).read_text()
    scalars = next((tmp_path / "run").glob("2*/vis_data/scalars.json")).read_text()
    lines = [json.loads(line) for line in scalars.splitlines()]
    losses = [line for line in lines if "distill.loss_kd" in line]
    assert len(losses) == 4
    for line in losses:
        values = {key: value for key, value in line.items() if "loss" in key}
        assert len(values) >= 4 and all(map(math.isfinite, values.values())), values
