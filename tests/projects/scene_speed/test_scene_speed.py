from __future__ import annotations

import re

import pytest
import rasterio
import torch
from mmengine.config import Config
from mmseg.registry import MODELS

from mmcloudseg.procedural.mini_scene import draw_scene, write_scene
from scene_speed.measure import _repeat, benchmark_scenes

CONFIG = "configs/cloudseg_student_mini.py"


def test_repeated_scenes_are_mirrored_and_cover_the_same_ground(tmp_path):
    files = write_scene(tmp_path / "pattern", draw_scene(600))
    optical = _repeat(files["optical"], tmp_path / "o.tif", 700, 1300)
    sar = _repeat(files["sar"], tmp_path / "s.tif", 700, 1300)
    with rasterio.open(optical) as one, rasterio.open(sar) as other:
        bands = one.read()
        assert bands.shape == (4, 700, 1300) and other.shape == (210, 390)
        assert one.bounds == other.bounds
    with rasterio.open(files["optical"]) as source:
        pattern = source.read()
    assert (bands[:, :600, :600] == pattern).all()
    assert (bands[:, 600:, :600] == pattern[:, :-101:-1]).all()
    assert (bands[:, :600, 1200:] == pattern[:, :, :100]).all()


def test_sizes_that_are_no_whole_sar_pixels_are_refused(root, tmp_path):
    model = MODELS.build(Config.fromfile(root / CONFIG).model)
    torch.save(dict(meta={}, state_dict=model.state_dict()), tmp_path / "student.pth")
    with pytest.raises(ValueError, match="multiples of 10 pixels, found 205 x 200"):
        benchmark_scenes(str(root / CONFIG), str(tmp_path / "student.pth"), [(205, 200)])


@pytest.mark.slow
def test_the_table(root, tmp_path):
    model = MODELS.build(Config.fromfile(root / CONFIG).model)
    torch.save(dict(meta={}, state_dict=model.state_dict()), tmp_path / "student.pth")
    out = tmp_path / "table.md"
    table = benchmark_scenes(
        str(root / CONFIG), str(tmp_path / "student.pth"), [(200, 300)], seams=False, out=str(out)
    )
    row = next(line for line in table.splitlines() if line.startswith("| 200 x 300"))
    _, megapixels, seconds, speed, share, peak = (
        cell.strip() for cell in row.strip("|").split("|")
    )
    assert megapixels == "0.1" and float(seconds) > 0 and float(speed) > 0
    assert 0 < float(share.rstrip("%")) < 100 and float(peak) > 0
    assert table in out.read_text() and "16.4 million parameters" in out.read_text()
    assert re.search(r"holds \d+ MB", table)
