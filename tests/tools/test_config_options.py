"""Options of a config as the tools take them."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("tool", ["test.py", "robustness.py", "predict_scene.py"])
def test_tools_say_so_without_a_traceback(root, run_tool, tool):
    images = "--optical o --sar s --out m.tif" if tool == "predict_scene.py" else ""
    status, _, errors = run_tool(
        *(tool, root / "configs/cloudseg_mini.py", "x.pth", *images.split()),
        *("--cfg-options", "model.backbone.stream.type=UNet"),
    )
    assert status == 1 and "Traceback" not in errors
    last = errors.strip().splitlines()[-1]
    assert "--cfg-options model.backbone.stream.type: " in last and "cloudseg_mini.py'" in last
