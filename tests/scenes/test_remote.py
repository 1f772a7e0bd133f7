"""Rasters that GDAL reads over HTTP, from a server in a process of its own.

In this one it could not answer: rasterio waits for it with the interpreter locked.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import rasterio

from mmcloudseg.apis import ScenePredictor


@pytest.fixture
def address(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Path(__file__).with_name("range_server.py")
    with subprocess.Popen(
        [sys.executable, str(server), str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as running:
        yield f"http://127.0.0.1:{running.stdout.readline().strip()}"
        running.terminate()


def test_remote_rasters_give_the_same_map(pixel_model, pair, address, tmp_path):
    predictor = ScenePredictor(*pixel_model(), device="cpu")
    predictor.predict(*pair, tmp_path / "local.tif", progress=False)
    report = predictor.predict(
        f"/vsicurl/{address}/optical.tif",
        f"{address}/sar.tif",
        tmp_path / "remote.tif",
        progress=False,
    )
    assert report.mapped_tiles == report.tiles
    with (
        rasterio.open(tmp_path / "local.tif") as local,
        rasterio.open(tmp_path / "remote.tif") as remote,
    ):
        assert (local.read() == remote.read()).all()
        assert remote.tags()["optical"] == "optical.tif"


def test_remote_raster_that_is_not_there(pixel_model, pair, address, tmp_path):
    predictor = ScenePredictor(*pixel_model(), device="cpu")
    with pytest.raises(ValueError, match=r"none\.tif: cannot be read .*Check the address"):
        predictor.predict(
            f"/vsicurl/{address}/none.tif", pair[1], tmp_path / "m.tif", progress=False
        )
