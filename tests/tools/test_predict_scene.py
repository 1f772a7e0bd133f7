from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import rasterio
import torch
from mmengine.config import Config
from mmseg.registry import MODELS

from mmcloudseg.procedural.mini_scene import draw_scene, write_scene

CONFIG = "configs/cloudseg_student_mini.py"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return write_scene(tmp_path_factory.mktemp("scene"), draw_scene(200))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, root):
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(root / CONFIG).model)
    path = tmp_path_factory.mktemp("model") / "student.pth"
    torch.save(dict(meta={}, state_dict=model.state_dict()), path)
    return path


@pytest.fixture
def predict(run_tool, root, checkpoint):
    return lambda *words: run_tool("predict_scene.py", root / CONFIG, checkpoint, *words)


def test_a_pair(predict, scene, tmp_path):
    out = tmp_path / "map.tif"
    status, said, errors = predict(
        *("--optical", scene["optical"], "--sar", scene["sar"], "--out", out),
        *("--cloud-free", "--confidence", "--quicklook", "--device", "cpu"),
    )
    assert status == 0, errors
    assert "0.0 megapixels" in said and "4 of 4 tiles mapped" in said
    with rasterio.open(out) as source:
        assert source.shape == (60, 60) and source.res == (10, 10)
    with (
        rasterio.open(tmp_path / "map_cloud_free.tif") as found,
        rasterio.open(scene["optical"]) as optical,
    ):
        assert found.dtypes == ("uint16",) * 4
        assert found.transform == optical.transform and found.shape == optical.shape
        assert found.descriptions == ("blue", "green", "red", "nir")
        assert found.read().max() <= 10000
    assert (tmp_path / "map.png").stat().st_size > 10_000


def test_what_is_wrong_is_one_line(predict, scene, tmp_path):
    out = tmp_path / "map.tif"
    status, _, errors = predict(
        "--optical", scene["sar"], "--sar", scene["optical"], "--out", out, "--device", "cpu"
    )
    assert status == 1
    last = errors.strip().splitlines()[-1]
    assert last.startswith("predict_scene: ") and "are not swapped" in last
    assert not list(tmp_path.iterdir())


def test_a_list_or_a_pair(predict, scene, tmp_path):
    status, _, errors = predict("--optical", scene["optical"])
    assert status == 2
    assert "give either --optical, --sar and --out, or --list" in errors


def test_mini_scene_tool(run_tool, tmp_path):
    status, said, _ = run_tool("make_mini_scene.py", tmp_path / "s", "--size", 60)
    assert status == 0 and "optical.tif, sar.tif, cloud_free.tif, land_cover.tif" in said
    with (
        rasterio.open(tmp_path / "s/optical.tif") as optical,
        rasterio.open(tmp_path / "s/sar.tif") as sar,
    ):
        assert optical.shape == (60, 60) and sar.shape == (18, 18)
        assert optical.bounds == sar.bounds
    status, _, errors = run_tool("make_mini_scene.py", tmp_path / "t", "--size", 61)
    assert status == 1 and "a multiple of 10" in errors


@pytest.mark.slow
def test_processes_share_a_list(root, checkpoint, scene, tmp_path):
    lines = [f"{scene['optical']},{scene['sar']},{tmp_path}/{n}.tif" for n in "abc"]
    lines.append(f"{tmp_path}/none.tif,,{tmp_path}/d.tif")
    (tmp_path / "pairs.csv").write_text("optical,sar,out\n" + "\n".join(lines) + "\n")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *("--nproc-per-node", "2", "tools/predict_scene.py", CONFIG, str(checkpoint)),
            *("--list", str(tmp_path / "pairs.csv"), "--device", "cpu"),
        ],
        cwd=root,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0 and "none.tif: no such file" in done.stderr
    maps = []
    for name in "abc":
        with rasterio.open(tmp_path / f"{name}.tif") as source:
            maps.append(source.read())
    assert np.array_equal(maps[0], maps[1]) and np.array_equal(maps[0], maps[2])
    # Each scene was mapped once, by one of the two.
    assert sum(f"/{name}.tif: 0.0 megapixels" in done.stdout for name in "abc") == 3
    assert not (tmp_path / "d.tif").exists()


@pytest.mark.slow
def test_real_samples_as_a_scene(root, checkpoint, shared, tmp_path):
    """The map of a real sample is the one that tools/test.py's pipeline makes of it."""
    from mmseg.registry import DATASETS

    from mmcloudseg.apis import ScenePredictor
    from mmcloudseg.engine.configs import datasets, load_config

    cfg = load_config(str(root / CONFIG), None, str(shared / "m3mcr_sample"))
    described = list(datasets(cfg))[-1]
    described.update(ann_file="test.csv", data_prefix=dict(img_path="test"))
    dataset = DATASETS.build(described)
    predictor = ScenePredictor(str(root / CONFIG), str(checkpoint), device="cpu")
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        out = tmp_path / f"{index}.tif"
        predictor.predict(info["img_path"], info["sar_path"], out, progress=False)
        batch = dataset[index]
        sample = predictor.network.model.test_step(
            dict(inputs=[batch["inputs"]], data_samples=[batch["data_samples"]])
        )[0]
        with rasterio.open(out) as source, rasterio.open(info["seg_map_path"]) as label:
            found = source.read(1)
            assert source.crs == label.crs and source.shape == label.shape
        # SAR follows its coordinates here (the grids' corners are 2 m apart), and overlaps are
        # weighted: near the same, not the same.
        same = (found == sample.pred_sem_seg.data[0].numpy()).mean()
        assert same > 0.9
