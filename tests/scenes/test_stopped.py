"""Runs that are killed and resumed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
from scene_files import optical_bands, sar_bands, write

from mmcloudseg.apis import ScenePredictor

SLOW_RUN = """
import sys, time
import torch
torch.set_num_threads(1)
import scene_files
from mmcloudseg.apis import ScenePredictor
from mmcloudseg.scenes import network
config, checkpoint, optical, sar, out = sys.argv[1:]
real = network.TileNetwork.__call__
def slowly(self, *args):
    time.sleep(0.04)
    return real(self, *args)
network.TileNetwork.__call__ = slowly
ScenePredictor(config, checkpoint, device="cpu").predict(
    optical, sar, out, resume=True, progress=False, confidence=True, batch_size=4)
"""


def killed_after(command, environment, strips: int, folder: Path, delay_s: float) -> bool:
    """Start a run and kill it a moment after so many strips; False if it ended before."""
    run = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while run.poll() is None and time.monotonic() < deadline:
        if len(list(folder.glob("map_*.tif"))) >= strips:
            time.sleep(delay_s)
            break
        time.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    _, errors = run.communicate()
    assert run.returncode in (0, -signal.SIGKILL), errors
    return run.returncode != 0


@pytest.mark.slow
def test_killed_at_ten_moments_and_resumed_the_pixels_are_the_same(pixel_model, tmp_path):
    """Ten kills in a row of one run, each a moment after the run before it got further."""
    bands, radar = optical_bands(760, 120), sar_bands(760, 120)
    files = (
        write(tmp_path / "o.tif", bands, nodata=0),
        write(tmp_path / "s.tif", radar),
    )
    model = pixel_model()
    ScenePredictor(*model, device="cpu").predict(
        *files, tmp_path / "whole.tif", progress=False, confidence=True, batch_size=4
    )
    out = tmp_path / "out" / "map.tif"
    folder = out.parent / ".map.tif.partial"
    command = [sys.executable, "-c", SLOW_RUN, *model, *files, str(out)]
    here = str(Path(__file__).parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([here, *sys.path])}
    moments = random.Random(0)
    kills = 0
    for number in range(10):
        kills += killed_after(command, environment, 2 * number + 1, folder, moments.random() / 10)
        assert not out.exists()
        assert {path.name for path in out.parent.iterdir()} <= {".map.tif.partial"}
    assert kills == 10
    subprocess.run(command, env=environment, check=True)
    assert {path.name for path in out.parent.iterdir()} == {
        "map.tif",
        "map.tif.aux.xml",
        "map.qml",
        "map_confidence.tif",
    }
    for name in ("", "_confidence"):
        with (
            rasterio.open(out.with_name(f"map{name}.tif")) as found,
            rasterio.open(tmp_path / f"whole{name}.tif") as expected,
        ):
            assert np.array_equal(found.read(), expected.read())
