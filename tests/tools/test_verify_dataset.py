import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

COARSE = Affine(10, 0, 760299, 0, -10, 1898412)
TOOL = Path("tools") / "verify_dataset.py"
CONFIG = """
default_scope = 'mmseg'
pipeline = [
    dict(type='AlignedRandomCrop', crop_size=20),
    dict(type='LoadRasters'),
    dict(type='PackCloudSegInputs'),
]
leaf = dict(type='M3MCRDataset', data_root='data/mini_m3mcr', pipeline=pipeline)
train_dataloader = dict(dataset=dict(
    type='RepeatDataset', times=50,
    dataset=dict(leaf, ann_file='train.csv', data_prefix=dict(img_path='train'))))
val_dataloader = dict(
    dataset=dict(leaf, ann_file='val.csv', data_prefix=dict(img_path='val'), test_mode=True))
test_dataloader = val_dataloader
"""


@pytest.fixture(scope="module")
def data_fixtures():
    """The fixtures of tests/datasets, which writes data sets."""
    path = Path(__file__).parents[1] / "datasets" / "conftest.py"
    spec = importlib.util.spec_from_file_location("dataset_fixtures", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path, data_fixtures):
    return data_fixtures._make_m3mcr_tree(tmp_path / "tree", train=3, val=2, test=0, size=40)


@pytest.fixture
def verify(tmp_path, root):
    (tmp_path / "config.py").write_text(CONFIG)

    def run(*args):
        command = [sys.executable, str(root / TOOL), str(tmp_path / "config.py"), *map(str, args)]
        return subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=120)

    return run


def test_sound_data(verify, tree):
    done = verify("--data-root", tree)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "train: 3 samples, 0 problems" in lines and "val: 2 samples, 0 problems" in lines
    assert "test: the same samples as val" in lines and lines[-1] == "no problems found"
    shares = next(line for line in lines if "label pixels" in line)
    assert "forest" in shares and "water" in shares and "(ignored) 0.0 %" in shares
    assert "samples by cover: 0-20 % 0, 20-40 % 3," in done.stdout
    assert "train: 100%" in done.stderr


def test_every_problem_is_listed(verify, tree, data_fixtures):
    train, val = tree / "train", tree / "val"
    (train / "S1_fall/S1_fall_1/S1_fall_1_p_7.tif").unlink()
    damaged = train / "planet_cloudy_fall/planet_cloudy_fall_2/planet_cloudy_fall_2_p_8.tif"
    damaged.write_bytes(damaged.read_bytes()[:500])
    np.save(
        train / "cloudmask_fall/cloudmask_fall_3/cloudmask_fall_3_p_9.npy", np.zeros((9, 9), bool)
    )
    label = val / "landcover_fall/landcover_fall_101/landcover_fall_101_p_107.tif"
    data_fixtures._write_raster(label, np.full((12, 12), 33, np.uint8), COARSE)
    done = verify("--data-root", tree)
    assert done.returncode == 1
    assert "4 problem(s) found" in done.stderr
    for text in (
        "train: no such file: SAR image",
        "S1_fall_1_p_7.tif",
        "planet_cloudy_fall_2_p_8.tif: cannot be read",
        "cloudmask_fall_3_p_9.npy: has 9 x 9 pixels, expected 40 x 40",
        "landcover_fall_101_p_107.tif: unknown label code 33",
    ):
        assert text in done.stderr, text


def test_missing_root(verify):
    done = verify("--data-root", "no_mini_m3mcr")
    assert done.returncode == 1
    assert "python tools/make_mini_m3mcr.py no_mini_m3mcr" in done.stderr
    assert "--data-root PATH" in done.stderr


def test_values_in_another_unit(verify, tree, data_fixtures, tmp_path):
    (tmp_path / "config.py").write_text(
        CONFIG + "model = dict(data_preprocessor=dict(sar=dict(low=[-25, -32.5], high=[0, 0])))\n"
    )
    assert verify("--data-root", tree).returncode == 0
    for path in (tree / "train").rglob("S1_*.tif"):
        data_fixtures._write_raster(path, np.random.default_rng(0).random((2, 12, 12)), COARSE)
    done = verify("--data-root", tree)
    assert done.returncode == 1 and "linear" in done.stderr and "radiometry" in done.stderr
    done = verify("--data-root", tree, "--no-value-check")
    assert done.returncode == 0, done.stderr
